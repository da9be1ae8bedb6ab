//! Each answer says whose it is.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use lasegue_contracts::Service;
use lasegue_platform::http::{SERVICE, named};
use tower::ServiceExt;

async fn name(router: Router, path: &str) -> Option<String> {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = router.oneshot(request).await.expect("it answers");
    answer.headers().get(SERVICE).map(|name| name.to_str().expect("text").to_owned())
}

#[tokio::test]
async fn every_answer_names_the_services_of_its_process_errors_too() {
    let router = || Router::new().route("/here", get(async || "x"));
    for path in ["/here", "/nowhere"] {
        let two = named(router(), &[Service::Intake, Service::Alerting]);
        assert_eq!(name(two, path).await.as_deref(), Some("intake, alerting"), "{path}");
        assert_eq!(name(named(router(), &[]), path).await, None, "{path}");
    }
}
