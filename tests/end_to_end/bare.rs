//! One process on a bare machine: few files, no standard output, and many who only hold a connection.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::wait::pause;
use reqwest::StatusCode;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

#[tokio::test]
async fn a_process_whose_standard_output_is_full_or_closed_serves() {
    for prelude in ["exec >/dev/full", "exec >&-"] {
        Clinic::open_after(prelude, BINARY).await;
    }
}

#[tokio::test]
async fn a_machine_without_certificates_and_with_the_variables_of_kubernetes_starts() {
    let prelude = "export SSL_CERT_FILE=/nowhere SSL_CERT_DIR=/nowhere LASEGUE_PORT=tcp://10.0.0.1:8080 LASEGUE_SERVICE_HOST=10.0.0.1";
    let clinic = Clinic::open_after(prelude, BINARY).await;
    let mut health = Command::new("sh");
    health.args(["-c", &format!("{prelude}; exec \"$0\" \"$@\""), BINARY]);
    let health = health.args(["health", "--url", &format!("http://{}", clinic.address())]).output();
    assert!(health.expect("the binary was built").status.success());
}

#[tokio::test]
async fn nobody_else_on_the_machine_reads_the_data() {
    let clinic = Clinic::open_after("umask 000", BINARY).await;
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let files: Vec<_> =
        fs::read_dir(clinic.data()).expect("it is there").map(|file| file.expect("a file").path()).collect();
    assert!(files.len() > 8, "{files:?}");
    let open: Vec<_> = files.iter().filter(|file| mode(file) & 0o077 != 0).collect();
    assert_eq!((mode(&clinic.data()) & 0o077, open), (0, vec![]));
}

#[tokio::test]
async fn connections_that_only_wait_keep_neither_health_nor_callers_out_of_a_process_with_few_files() {
    let clinic = Clinic::open_after("ulimit -n 100", BINARY).await;
    let connect = |_| TcpStream::connect(clinic.address()).expect("somebody listens");
    let waiting: Vec<_> = (0..200).map(connect).collect();
    let health = Command::new(BINARY).args(["health", "--url", &format!("http://{}", clinic.address())]).output();
    assert!(health.expect("the binary was built").status.success());
    // The caller's own connection waited as well: its client needs a moment to see that it was let go.
    pause(Duration::from_millis(100)).await;
    let answer = clinic.caller().get("/alerts").send().await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::OK);
    drop(waiting);
}

#[tokio::test]
async fn what_is_looked_at_and_cannot_be_told_is_no_success_and_damage_stays_damage() {
    let mut clinic = Clinic::open(BINARY).await;
    let data = clinic.data();
    let status = |output: &str, command: &[&str]| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec \"$0\" \"$@\" {output}"), BINARY]).args(command).arg("--data").arg(&data);
        shell.status().expect("the system has a shell").code()
    };
    let (doctor, verify) = (&["doctor"][..], &["audit", "verify"][..]);
    for command in [doctor, verify] {
        assert_eq!((status("", command), status(">/dev/full", command)), (Some(0), Some(1)), "{command:?}");
    }
    clinic.kill();
    // What the log beside it holds would mend it.
    fs::remove_file(data.join("scheduling.sqlite-wal")).expect("a killed process leaves it");
    fs::write(data.join("scheduling.sqlite"), "no database").expect("it is a file");
    for output in ["", ">/dev/full", ">&-"] {
        assert_eq!(status(output, doctor), Some(2), "{output}");
    }
    fs::write(data.join("scheduling.sqlite"), "").expect("it is a file");
    let told = Command::new(BINARY).args(verify).arg("--data").arg(&data).output().expect("the binary was built");
    let reason = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(reason.contains("scheduling.sqlite is empty"), "{reason}");
}
