//! Every single field of a record that could be missing.

use serde_json::Value;

/// A path of object keys to one field.
pub(crate) type Path = Vec<String>;

/// Fields without which there is no submission at all.
const REQUIRED: [&str; 3] = ["id", "assessed_at", "author"];

/// What counts as one field although it has parts: a score, an item answered by two people.
fn is_one_field(path: &[String], value: &Value) -> bool {
    let score = ["leg", "back"].iter().any(|name| path.last().is_some_and(|last| last == name));
    let answers = value.get("patient").is_some() || value.get("clinician").is_some();
    !value.is_object() || score || answers
}

fn collect(value: &Value, path: &mut Path, all: &mut Vec<Path>) {
    if is_one_field(path, value) {
        all.push(path.clone());
        return;
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        path.push(name.clone());
        collect(inner, path, all);
        path.pop();
    }
}

/// The fields of a submission.
pub(crate) fn of_submission(submission: &Value) -> Vec<Path> {
    let mut all = of(submission);
    all.retain(|path| !REQUIRED.contains(&path[0].as_str()));
    all
}

/// The fields of any block.
pub(crate) fn of(block: &Value) -> Vec<Path> {
    let mut all = Vec::new();
    collect(block, &mut Path::new(), &mut all);
    all.retain(|path| !path.is_empty());
    all
}

/// Takes a field away.
pub(crate) fn delete(block: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut inner = block;
    for parent in parents {
        inner = &mut inner[parent];
    }
    if let Some(fields) = inner.as_object_mut() {
        fields.remove(last);
    }
}
