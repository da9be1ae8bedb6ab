//! What the containers of the Compose file may do, as Docker was told and as it is from inside: each what its work needs.

use std::fs;
use std::path::Path;

use lasegue_testkit::installation::{Composed, Container};

const SERVICES: [&str; 4] = ["intake", "assessment", "scheduling", "alerting"];
/// The right to connections of all services' roles together leaves some to the superuser.
const ROOM: &str = "SELECT current_setting('max_connections')::int - sum(rolconnlimit) \
                    > current_setting('superuser_reserved_connections')::int \
                    FROM pg_roles WHERE rolcanlogin AND NOT rolsuper";

/// What a container is granted.
struct Grant {
    service: &'static str,
    mebibytes: u64,
    processes: u64,
    /// The capabilities that processes in it can come to, by name and as Linux numbers them.
    rights: &'static [(&'static str, u32)],
    /// Where it may write, but for its volumes: in memory.
    writes: &'static [&'static str],
}

const CHOWN: (&str, u32) = ("CHOWN", 0);
const DAC_OVERRIDE: (&str, u32) = ("DAC_OVERRIDE", 1);
const FOWNER: (&str, u32) = ("FOWNER", 3);
const SETGID: (&str, u32) = ("SETGID", 6);
const SETUID: (&str, u32) = ("SETUID", 7);

const GRANTS: [Grant; 9] = [
    Grant {
        service: "postgres",
        mebibytes: 4_096,
        processes: 512,
        rights: &[CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID],
        writes: &["/run/secrets", "/tmp", "/var/run/postgresql"],
    },
    Grant { mebibytes: 1_024, processes: 512, ..plain("nats") },
    Grant { mebibytes: 4_096, ..plain("intake") },
    Grant { mebibytes: 2_048, ..plain("assessment") },
    Grant { mebibytes: 1_024, ..plain("scheduling") },
    Grant { mebibytes: 1_024, ..plain("alerting") },
    Grant { mebibytes: 1_024, ..plain("web") },
    Grant { rights: &[CHOWN, DAC_OVERRIDE, FOWNER], ..plain("secrets") },
    plain("migrate"),
];

const fn plain(service: &'static str) -> Grant {
    Grant { service, mebibytes: 512, processes: 1_024, rights: &[], writes: &[] }
}

pub(crate) fn every_container_has_what_it_needs_and_no_more(composed: &Composed) {
    let containers = composed.containers();
    assert_eq!(containers.len(), GRANTS.len(), "{containers:?}");
    for grant in &GRANTS {
        let container = named(&containers, grant.service);
        grant.was_told_to_docker(container);
        grant.is_written_down();
        if container.runs() {
            grant.holds_inside(container);
        }
    }
    networks_let_through_what_is_needed(&containers);
    let room = named(&containers, "postgres").shell(&format!("psql --username=postgres -At --command=\"{ROOM}\""));
    assert_eq!(room.as_deref(), Ok("t"), "the roles' connections leave the superuser's");
}

fn named<'a>(containers: &'a [Container], service: &str) -> &'a Container {
    containers.iter().find(|container| container.service() == service).unwrap_or_else(|| panic!("{service} is missing"))
}

impl Grant {
    fn was_told_to_docker(&self, container: &Container) {
        let Self { service, mebibytes, processes, rights, writes } = self;
        assert_eq!(container.granted("ReadonlyRootfs"), true, "{service}");
        assert_eq!(*container.granted("CapDrop"), serde_json::json!(["ALL"]), "{service}");
        assert_eq!(texts(container, "CapAdd"), rights.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{service}");
        assert_eq!(*container.granted("SecurityOpt"), serde_json::json!(["no-new-privileges:true"]), "{service}");
        assert_eq!(container.granted("Memory").as_u64(), Some(mebibytes << 20), "{service}");
        assert_eq!(container.granted("PidsLimit").as_u64(), Some(*processes), "{service}");
        let tmpfs = container.granted("Tmpfs").as_object().into_iter().flat_map(|tmpfs| tmpfs.keys());
        assert_eq!(tmpfs.collect::<Vec<_>>(), *writes, "{service}");
        let published = container.granted("PortBindings").as_object().map_or(0, serde_json::Map::len);
        assert_eq!(published, usize::from(*service == "web"), "{service}: only the front door is for everybody");
    }

    fn is_written_down(&self) {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
        let page = fs::read_to_string(page).expect("it is there");
        let row = format!("| `{}` | {} MiB | {} |", self.service, self.mebibytes, self.processes);
        assert!(page.contains(&row), "docs/operations.md says what is sized for what: {row}");
    }

    fn holds_inside(&self, container: &Container) {
        let Self { service, mebibytes, processes, rights, .. } = self;
        let told =
            |command: &str| container.shell(command).unwrap_or_else(|complaint| panic!("{service}: {complaint}"));
        let status = told("cat /proc/1/status");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
            line.unwrap_or_else(|| panic!("{service}: Linux does not tell {name}")).to_owned()
        };
        let bounds = rights.iter().fold(0_u64, |bounds, (_, number)| bounds | 1 << number);
        assert_eq!(field("CapBnd"), format!("{bounds:016x}"), "{service}");
        assert_eq!(field("CapEff"), format!("{:016x}", 0), "{service}: what it runs has no rights at all");
        assert_eq!(field("NoNewPrivs"), "1", "{service}");
        let written = container.shell("echo mine >/usr/mine").expect_err("nothing can be put beside the programs");
        assert!(written.contains("Read-only file system"), "{service}: {written}");
        let memory =
            told("cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes");
        assert_eq!(memory, (mebibytes << 20).to_string(), "{service}");
        let pids = told("cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max");
        assert_eq!(pids, processes.to_string(), "{service}");
    }
}

/// A list of what Docker grants, in order: newer versions of Docker write `CAP_` before each capability.
fn texts<'a>(container: &'a Container, what: &str) -> Vec<&'a str> {
    let list = container.granted(what).as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = list.iter().filter_map(serde_json::Value::as_str).map(|text| text.trim_start_matches("CAP_"));
    let mut texts: Vec<_> = texts.collect();
    texts.sort_unstable();
    texts
}

fn networks_let_through_what_is_needed(containers: &[Container]) {
    for from in containers.iter().filter(|container| container.runs()) {
        let name = from.service();
        let is_service = SERVICES.contains(&name);
        for (target, port) in [("postgres", 5432), ("nats", 4222)].into_iter().filter(|(target, _)| *target != name) {
            assert_eq!(from.reaches(target, port), is_service, "{name} to {target} by its name");
            for address in named(containers, target).addresses() {
                let reached = from.reaches(&address, port);
                assert!(is_service || !reached, "{name} must not reach {target} at {address}");
            }
        }
        for service in SERVICES.into_iter().filter(|_| is_service || name == "web") {
            assert!(from.reaches(service, 8080), "{name} to {service}");
            assert!(!is_service || from.reaches(service, 8081), "{name} hands over to {service}");
        }
        assert_eq!(from.has_a_way_out(), ["web", "alerting"].contains(&name), "{name} and what is outside");
    }
}
