//! An image around the binary under test.

use std::fs;
use std::path::Path;

use super::run;

/// What it is called.
pub(super) const NAME: &str = "lasegue:under-test";

/// Docker knows the layers by their content: an image around the same binary is made in a second.
pub(super) fn make(binary: &Path, deploy: &Path) {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    fs::copy(binary, folder.path().join("lasegue")).expect("the binary was built");
    let text = |path: &Path| path.to_str().expect("the folder's name is text").to_owned();
    let (dockerfile, context) = (text(&deploy.join("Dockerfile")), text(folder.path()));
    run("docker", &["build", "--quiet", "--target", "prebuilt", "--tag", NAME, "--file", &dockerfile, &context]);
}
