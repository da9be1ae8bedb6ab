//! In one process: idle, and while 6,000 records are imported.

use std::process::{Command, Stdio};

use axum::Router;
use axum::routing::post;
use lasegue_contracts::Service;
use lasegue_platform::store::Location;
use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::pager::Pager;

use crate::chain::{Chain, commit, serve, store};
use crate::measure::{pages, report, times};

/// Pages measured while nothing else happens.
const IDLE: usize = 500;
/// Records imported while pages are measured.
const IMPORTED: &str = "6000";
/// Pages measured at most during the import.
const MOST: usize = 2_000;

pub(crate) async fn run() {
    let chain = bare_chain().await;
    let clinic = Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await;
    warm_up(&chain, &clinic).await;
    let baseline = chain.measure(IDLE).await;
    let idle = times(&pages(&clinic, "idle", IDLE, || false).await);
    let mut import = import(&clinic);
    let over = || import.try_wait().is_ok_and(|ended| ended.is_some());
    let loaded = times(&pages(&clinic, "load", MOST, over).await);
    let imported = import.wait().expect("the import ends");
    println!("In one process; import of {IMPORTED} records: {imported}");
    report("the bare chain of commits and hops", &baseline, &baseline);
    report("request to page, idle", &idle, &baseline);
    report("request to page, during the import", &loaded, &baseline);
}

async fn warm_up(chain: &Chain, clinic: &Clinic) {
    chain.measure(20).await;
    pages(clinic, "warm", 20, || false).await;
}

fn import(clinic: &Clinic) -> std::process::Child {
    let records = clinic.data().with_file_name("records.ndjson");
    let sample = Command::new(env!("CARGO_BIN_EXE_lasegue"))
        .args(["sample", "--patients", IMPORTED])
        .output()
        .expect("the binary was built");
    std::fs::write(&records, sample.stdout).expect("the folder takes a file");
    Command::new(env!("CARGO_BIN_EXE_lasegue"))
        .args(["import", "--url", &clinic.caller().url, "--data"])
        .arg(clinic.data())
        .arg(records)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built")
}

/// A request in, a commit in each of the four steps, a request out.
async fn bare_chain() -> Chain {
    lasegue_platform::tls::install();
    let pager = Pager::start("bare").await;
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let mut stores = Vec::new();
    for service in Service::ALL {
        stores.push(store(service, Location::Sqlite(folder.path().join(format!("{service}.sqlite")))).await);
    }
    let http = reqwest::Client::new();
    let (out, page_url) = (http.clone(), pager.url().to_owned());
    let handler = move || {
        let (stores, out, page_url) = (stores.clone(), out.clone(), page_url.clone());
        async move {
            for store in stores {
                commit(&store).await;
            }
            out.post(page_url).body("{}").send().await.expect("the pager answers");
        }
    };
    let url = serve(Router::new().route("/", post(handler))).await;
    Chain { url, pager, http, _keep: Box::new(folder) }
}
