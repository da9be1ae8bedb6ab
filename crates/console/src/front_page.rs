//! The front page: what this is, whether it is well, and where to go on.

use std::fmt;

use serde_json::{Map, Value};

/// What the front page shows.
pub(crate) struct FrontPage {
    pub(crate) ready: bool,
    pub(crate) checks: Map<String, Value>,
}

/// What the page looks like, served beside it: the security policy allows no style within a page.
pub(crate) const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;\
color:#1c2733;background:#fbfbf9}h1{font-weight:600;margin-bottom:0}p.sub{color:#5a6775;margin-top:.2rem}\
table{border-collapse:collapse;width:100%}td{padding:.4rem .2rem;border-top:1px solid #e2e4e0}\
td:last-child{text-align:right}.ok{color:#1f7a4d}.bad{color:#b3261e;font-weight:600}code{background:#eef0ec;\
padding:.1rem .3rem;border-radius:.2rem}";

impl fmt::Display for FrontPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, state) = match (self.ready, self.checks.values().all(|check| check == "ok")) {
            (true, true) => ("ok", "ready"),
            (true, false) => ("bad", "ready, but a part of the whole is away"),
            (false, _) => ("bad", "not ready"),
        };
        write!(
            f,
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Lasègue</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/style.css\"></head><body>\
             <h1>Lasègue</h1><p class=\"sub\">Follow-up for patients with lumbosacral radiculopathy</p>\
             <p>This process is <strong class=\"{class}\">{state}</strong>.</p><table>"
        )?;
        for (name, outcome) in &self.checks {
            let outcome = outcome.as_str().unwrap_or_default();
            let class = if outcome == "ok" { "ok" } else { "bad" };
            write!(f, "<tr><td>{}</td><td class=\"{class}\">{}</td></tr>", escape(name), escape(outcome))?;
        }
        f.write_str(
            "</table><p>Systems call <code>/api/v1</code> with a bearer token: <code>lasegue token --role system</code>. \
             Monitoring reads <a href=\"/healthz\">/healthz</a>, <a href=\"/readyz\">/readyz</a> and \
             <a href=\"/metrics\">/metrics</a>.</p></body></html>",
        )
    }
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, character| {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(ready: bool, check: &str) -> String {
        let checks = [("intake database".to_owned(), json!(check))].into_iter().collect();
        FrontPage { ready, checks }.to_string()
    }

    #[test]
    fn the_page_says_what_is_wrong_and_never_as_markup() {
        let page = page(false, "<b>gone</b>");
        assert!(page.contains("not ready") && page.contains("&lt;b&gt;gone&lt;/b&gt;"));
    }

    #[test]
    fn a_process_that_misses_another_says_so_although_it_is_ready() {
        assert!(page(true, "it cannot be reached").contains("<strong class=\"bad\">ready, but a part"));
    }

    #[test]
    fn the_page_holds_no_style_and_no_script_which_its_policy_forbids() {
        let page = page(true, "ok");
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("<script"), "{page}");
    }

    #[test]
    fn a_healthy_process_is_ready() {
        assert!(page(true, "ok").contains("<strong class=\"ok\">ready</strong>"));
    }
}
