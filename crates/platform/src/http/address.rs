//! Addresses that are written a little wrongly. A slash at the end changes nothing. A submission sent to its address in
//! another spelling finds no route, but must not be lost unread: it goes where such are kept and read for danger.

use axum::extract::Request;
use axum::http::uri::{PathAndQuery, Uri};

/// The request, put right as far as its address can be.
pub(super) fn put_right(mut request: Request) -> Request {
    if let Some(path) = right(request.uri().path()) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(right) = PathAndQuery::try_from(path + &query) {
            let mut parts = request.uri().clone().into_parts();
            parts.path_and_query = Some(right);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

/// The path that was meant, where it is another one.
fn right(path: &str) -> Option<String> {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.first().is_none_or(|first| !is_alike(first, "api")) {
        return None;
    }
    let plain = path.trim_end_matches('/');
    if let Some(episode) = submission_of(&parts).filter(|episode| plain != address_of(episode)) {
        return Some(format!("{}/misaddressed", address_of(episode)));
    }
    (plain != path).then(|| plain.to_owned())
}

fn address_of(episode: &str) -> String {
    format!("/api/v1/episodes/{episode}/submissions")
}

/// The episode to which a submission was meant to be sent: in whatever case, with escaped letters, in the singular, and
/// with whatever follows.
fn submission_of<'p>(parts: &[&'p str]) -> Option<&'p str> {
    let [api, version, episodes, episode, submissions, ..] = parts else { return None };
    let begin = [(api, "api"), (version, "v1"), (episodes, "episodes")];
    let is_list = ["submissions", "submission"].iter().any(|wanted| is_alike(submissions, wanted));
    (is_list && begin.iter().all(|(part, wanted)| is_alike(part, wanted))).then_some(*episode)
}

fn is_alike(part: &str, wanted: &str) -> bool {
    unescaped(part).eq_ignore_ascii_case(wanted.as_bytes())
}

/// A part without its escapes of the kind `%73`.
fn unescaped(part: &str) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let two = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let escaped = two.and_then(|two| u8::from_str_radix(two, 16).ok());
        let (byte, left) = escaped.map_or((*first, after), |byte| (byte, &after[2..]));
        plain.push(byte);
        rest = left;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_of_an_address_of_the_interface_changes_nothing() {
        assert_eq!(right("/api/v1/episodes/").as_deref(), Some("/api/v1/episodes"));
        assert_eq!(right("/api/v1/episodes/x/submissions//").as_deref(), Some("/api/v1/episodes/x/submissions"));
        for right_already in ["/", "/healthz", "/healthz/", "/api/v1/episodes", "/api/v1/episodes/x/submissions"] {
            assert_eq!(right(right_already), None, "{right_already}");
        }
    }

    #[test]
    fn a_submission_to_an_address_spelt_otherwise_goes_where_such_are_read() {
        let read = Some("/api/v1/episodes/x/submissions/misaddressed");
        for wrong in [
            "/API/v1/episodes/x/submissions",
            "/api/V1/Episodes/x/Submissions/",
            "/api/v1/episodes/x/%73ubmissions",
            "/%61pi/v1/episodes/x/submissions",
            "/api/v1/episodes/x//submissions",
            "//api/v1//episodes/x/submissions",
            "/api/v1/episodes/x/submission",
            "/api/v1/episodes/x/submissions/v1",
            "/api/v1/episodes/x/submissions/misaddressed",
        ] {
            assert_eq!(right(wrong).as_deref(), read, "{wrong}");
        }
        for other in ["/api/v1/Episodes/x", "/api/v1/episodes/%7", "/v1/Episodes/x/submissions/", "/api/v1//alerts"] {
            assert_eq!(right(other), None, "{other}");
        }
    }

    #[test]
    fn the_query_stays() {
        let request = Request::builder().uri("/api/v1/alerts/?state=open").body(axum::body::Body::empty());
        assert_eq!(put_right(request.expect("a request")).uri(), "/api/v1/alerts?state=open");
    }
}
