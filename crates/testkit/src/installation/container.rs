//! A container of a Compose project, seen through Docker's eyes and from inside.

use std::process::Command;

use serde_json::Value;

/// One that runs or has run.
#[derive(Debug)]
pub struct Container {
    told: Value,
}

impl Container {
    /// All of `project`, those that have done their work and ended among them.
    pub(super) fn of(project: &str) -> Vec<Self> {
        let label = format!("label=com.docker.compose.project={project}");
        let ids = super::run("docker", &["ps", "--all", "--quiet", "--filter", &label]);
        let arguments: Vec<_> = ["inspect"].into_iter().chain(ids.split_whitespace()).collect();
        let told: Vec<Value> = serde_json::from_str(&super::run("docker", &arguments)).expect("Docker prints JSON");
        told.into_iter().map(|told| Self { told }).collect()
    }

    /// Which of the Compose file's services it is.
    pub fn service(&self) -> &str {
        self.told["Config"]["Labels"]["com.docker.compose.service"].as_str().expect("Compose labels its containers")
    }

    /// What Docker grants it.
    pub fn granted(&self, what: &str) -> &Value {
        &self.told["HostConfig"][what]
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.told["State"]["Running"] == true
    }

    /// Its addresses, one in each of its networks.
    ///
    /// # Panics
    /// When Docker names none.
    pub fn addresses(&self) -> Vec<String> {
        self.networks().map(|(_, network)| network["IPAddress"].as_str().expect("it runs").to_owned()).collect()
    }

    /// Whether one of its networks leads out. Its routes do not tell: Docker gives those of internal networks a gateway, too,
    /// and lets nothing pass there.
    pub fn has_a_way_out(&self) -> bool {
        let is_internal =
            |name| super::run("docker", &["network", "inspect", "--format", "{{.Internal}}", name]) == "true";
        self.networks().any(|(name, _)| !is_internal(name))
    }

    fn networks(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.told["NetworkSettings"]["Networks"].as_object().expect("Docker tells of its networks").iter()
    }

    /// What a shell in it prints, run as `docker exec` does.
    ///
    /// # Errors
    /// What it complains of when it fails.
    pub fn shell(&self, command: &str) -> Result<String, String> {
        let id = self.told["Id"].as_str().expect("it has one");
        let ran = Command::new("docker").args(["exec", id, "sh", "-c", command]).output().expect("docker is installed");
        let [told, complaint] = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned());
        if ran.status.success() { Ok(told) } else { Err(complaint) }
    }

    /// Whether it can open a connection to `port` of `host`, a name or an address.
    pub fn reaches(&self, host: &str, port: u16) -> bool {
        // In the shell itself: were a child of it left behind when the time is over, PostgreSQL, which is the first process
        // of its container, would take that for one of its own that died, and restart them all.
        let bash = format!("timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/{port}'");
        let busybox = format!("busybox nc -z -w 3 {host} {port}");
        self.shell(&format!("if command -v bash >/dev/null; then {bash}; else {busybox}; fi")).is_ok()
    }
}
