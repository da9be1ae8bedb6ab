//! RFC 9457 problem documents: the one shape of every HTTP error.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use super::request::RequestId;

/// The media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The most faults that one answer names: the first ones are the useful ones.
pub const MOST_FAULTS: usize = 1_000;

/// One thing wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the body; empty for the body itself.
    pub pointer: String,
    /// What is wrong and what is allowed.
    pub reason: String,
}

/// What went wrong with a request, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem(Box<Document>);

#[derive(Clone, Debug, PartialEq)]
struct Document {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    faults: Vec<Fault>,
    extensions: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of a closed kind: `code` never changes, `title` says the same for every occurrence.
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self(Box::new(Document {
            status,
            code,
            title,
            detail: String::new(),
            faults: Vec::new(),
            extensions: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// What is particular to this occurrence, and what to do about it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// Everything wrong with the body, all at once, up to [`MOST_FAULTS`].
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        let room = MOST_FAULTS.saturating_sub(self.0.faults.len());
        self.0.faults.extend(faults.into_iter().take(room));
        self
    }

    /// A member of its own, such as the current revision.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// A header that belongs to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// 400: the request itself makes no sense.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request cannot be understood").detail(detail)
    }

    /// 400: only part of the body came.
    pub fn broken_off() -> Self {
        Self::bad_request("The body broke off on its way. Send it again.")
    }

    /// 405: the address exists and answers to other methods.
    pub fn wrong_method() -> Self {
        Self::of_status(StatusCode::METHOD_NOT_ALLOWED)
    }

    /// 408: the body stalled on its way, and the rest of it is awaited no longer.
    pub fn stalled() -> Self {
        Self::of_status(StatusCode::REQUEST_TIMEOUT).detail("The body did not arrive in time. Send it again, whole.")
    }

    /// 422: the body is understood and refused, with all its faults.
    pub fn refused(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", "The body is refused")
            .detail("Mend every fault named here and send it again.")
            .faults(faults)
    }

    /// 404: there is no such thing; `what` names it.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing").detail(what)
    }

    /// 409: it has changed, or contradicts what is there.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "The request contradicts what is there").detail(detail)
    }

    /// 503: try again soon.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer now")
            .detail(detail)
            .header(axum::http::header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 500: our fault. The cause is in the log under the request's id, and nowhere else.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service failed")
            .detail("It may have been done or not. Tell the operator the instance; sending it again under the same Idempotency-Key is safe.")
    }

    fn under(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// The problem that stands for a bare status.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found("No route answers at this address."),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, "method-not-allowed", "The address does not answer to this method")
                    .detail("The Allow header lists the methods it answers to.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "too-large", "The body is too large")
                .detail("A body has 1 MiB at most, and an import request 32 MiB: send less at once."),
            StatusCode::REQUEST_TIMEOUT => Self::new(status, "timeout", "The request took too long"),
            StatusCode::UNPROCESSABLE_ENTITY => Self::refused([]),
            status if status.is_client_error() => Self::bad_request("").under(status),
            status => Self::internal().under(status),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let problem = *self.0;
        let mut document = Map::new();
        document.insert("type".to_owned(), Value::from(format!("urn:lasegue:problem:{}", problem.code)));
        document.insert("title".to_owned(), Value::from(problem.title));
        document.insert("status".to_owned(), Value::from(problem.status.as_u16()));
        document.insert("code".to_owned(), Value::from(problem.code));
        if !problem.detail.is_empty() {
            document.insert("detail".to_owned(), Value::from(problem.detail));
        }
        if let Some(id) = RequestId::current() {
            document.insert("instance".to_owned(), Value::from(format!("urn:lasegue:request:{id}")));
        }
        if !problem.faults.is_empty() {
            document.insert("faults".to_owned(), serde_json::json!(problem.faults));
        }
        document.extend(problem.extensions);
        let mut response = Response::new(Body::from(Value::Object(document).to_string()));
        *response.status_mut() = problem.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response.headers_mut().extend(problem.headers);
        response
    }
}
