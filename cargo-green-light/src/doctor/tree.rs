//! The dependencies of the project: versions that clash, and features that are missing.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{Metadata, Node, Package, PackageId};

use crate::doctor::finding::{Finding, Topic};
use crate::error::Error;
use crate::print::listed;

/// What there is to say of the dependencies, and what the databases need to know.
pub(crate) struct Tree {
    pub(crate) findings: Vec<Finding>,
    /// The features of green-light that are on; `None` if nothing depends on it.
    pub(crate) features: Option<BTreeSet<String>>,
}

/// Crates whose types go from the application to green-light: a second version of them has other types.
const SHARED: [&str; 3] = ["sea-orm", "sqlx", "tokio"];
/// A feature of green-light, and by which features of which crates a project shows that it needs it.
const FEATURES: [(&str, &[(&str, &str)]); 3] = [
    ("sqlite", &[("sea-orm", "sqlx-sqlite"), ("sqlx", "sqlite")]),
    (
        "postgres",
        &[("sea-orm", "sqlx-postgres"), ("sqlx", "postgres")],
    ),
    ("mysql", &[("sea-orm", "sqlx-mysql"), ("sqlx", "mysql")]),
];

/// Looks at a project.
pub(crate) fn examine(metadata: &Metadata) -> Tree {
    let looking = Looking::new(metadata);
    let mut findings = Vec::new();
    let Some(features) = looking.green_light(&mut findings) else {
        return Tree {
            findings,
            features: None,
        };
    };
    looking.versions(&mut findings);
    looking.features(&features, &mut findings);
    Tree {
        findings,
        features: Some(features),
    }
}

/// What there is to say if cargo cannot resolve the dependencies.
pub(crate) fn unreadable(error: &Error) -> Tree {
    Tree {
        findings: vec![Finding::told(Topic::Dependencies, &error.to_string())],
        features: None,
    }
}

struct Looking<'a> {
    metadata: &'a Metadata,
    nodes: BTreeMap<&'a PackageId, &'a Node>,
    members: Vec<&'a Package>,
}

impl<'a> Looking<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let resolved = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        Self {
            metadata,
            nodes: resolved.map(|node| (&node.id, node)).collect(),
            members: metadata.workspace_packages(),
        }
    }

    fn packages(&self, name: &str) -> Vec<&'a Package> {
        let packages = self.metadata.packages.iter();
        packages
            .filter(|package| *package.name == *name && self.nodes.contains_key(&package.id))
            .collect()
    }

    /// The members of the workspace that name a package in their manifest, other than it.
    fn users(&self, package: &Package) -> Vec<String> {
        let uses = |member: &&&Package| {
            let node = self.nodes.get(&member.id);
            node.is_some_and(|node| node.dependencies.contains(&package.id))
        };
        let users = self
            .members
            .iter()
            .filter(|member| !is_ours(member))
            .filter(uses);
        users.map(|member| member.name.to_string()).collect()
    }

    /// The features of green-light that are on.
    fn green_light(&self, findings: &mut Vec<Finding>) -> Option<BTreeSet<String>> {
        let topic = Topic::Dependencies;
        let versions = self.packages("green-light");
        let Some(first) = versions.first() else {
            findings.push(Finding::problem(
                topic,
                "no package of the workspace depends on `green-light`",
                "`cargo add --dev green-light --features postgres` in the package that has the tests; or `sqlite`, `mysql`",
            ));
            return None;
        };
        if versions.len() > 1 {
            let found = versions
                .iter()
                .map(|package| format!("`{}`", package.version));
            findings.push(Finding::problem(
                topic,
                format!("there are several versions of green-light: {}", listed(found)),
                "let all packages name the same version: the fixtures of one are unknown to the other",
            ));
        }
        let features = versions
            .iter()
            .filter_map(|package| self.nodes.get(&package.id));
        let features: BTreeSet<String> = features
            .flat_map(|node| node.features.iter().map(ToString::to_string))
            .collect();
        let shown = features.iter().filter(|name| *name != "default");
        let shown = listed(shown.map(|name| format!("`{name}`")));
        let users = self.users(first);
        let users = match &users[..] {
            [] => String::new(),
            _ => format!(
                ", for {}",
                listed(users.iter().map(|name| format!("`{name}`")))
            ),
        };
        findings.push(Finding::good(
            topic,
            format!("green-light {} with {shown}{users}", first.version),
        ));
        Some(features)
    }

    /// Versions of crates that green-light and the application share.
    fn versions(&self, findings: &mut Vec<Finding>) {
        let topic = Topic::Dependencies;
        let mut agreed = Vec::new();
        for name in SHARED {
            let found = self.packages(name);
            let ours = found
                .iter()
                .find(|package| self.is_below_green_light(package));
            match (&found[..], ours) {
                ([], _) | (_, None) => {}
                ([only], _) => agreed.push(format!("{name} {}", only.version)),
                (_, Some(ours)) => {
                    for other in found.iter().filter(|other| other.id != ours.id) {
                        findings.push(self.clash(topic, other, ours));
                    }
                }
            }
        }
        let rstest = self.packages("rstest");
        if let [_, _, ..] = rstest[..] {
            let found = rstest.iter().map(|package| package.version.to_string());
            findings.push(Finding::note(
                topic,
                format!("there are several versions of rstest: {}", listed(found)),
                "let all packages name the same version: each is built for itself",
            ));
        } else if let [only] = rstest[..] {
            agreed.push(format!("rstest {}", only.version));
        }
        if !agreed.is_empty() {
            findings.push(Finding::good(
                topic,
                format!("one version of each: {}", listed(agreed)),
            ));
        }
    }

    fn clash(&self, topic: Topic, other: &Package, ours: &Package) -> Finding {
        let name = &other.name;
        let fact = format!(
            "{name} {} beside {name} {}, which green-light uses",
            other.version, ours.version
        );
        let users = self.users(other);
        let version = &ours.version;
        if users.is_empty() {
            let help = "another dependency brings it; that does no harm as long as no test passes values of the one to the other";
            return Finding::note(topic, fact, help);
        }
        let users = listed(users.iter().map(|name| format!("`{name}`")));
        Finding::note(
            topic,
            format!("{fact}; {users} names {name} {}", other.version),
            format!(
                "write `{name} = \"{}.{}\"` in the `Cargo.toml` of {users}; if it has to stay, its code cannot take what \
                 green-light's fixtures return: give it the URL of the fixture `database_url`",
                version.major, version.minor
            ),
        )
    }

    /// Whether green-light or its fixtures depend on a package.
    fn is_below_green_light(&self, package: &Package) -> bool {
        let ours = self
            .metadata
            .packages
            .iter()
            .filter(|package| is_ours(package));
        ours.filter_map(|ours| self.nodes.get(&ours.id))
            .any(|node| node.dependencies.contains(&package.id))
    }

    /// What the application uses and green-light has no feature for.
    fn features(&self, on: &BTreeSet<String>, findings: &mut Vec<Finding>) {
        let topic = Topic::Dependencies;
        let mut missing: BTreeMap<&str, (String, String)> = BTreeMap::new();
        for member in self.members.iter().filter(|member| !is_ours(member)) {
            for dependency in &member.dependencies {
                for (feature, signs) in FEATURES {
                    let sign = signs.iter().find(|(name, sign)| {
                        *name == dependency.name && dependency.features.iter().any(|on| on == sign)
                    });
                    if let Some((name, sign)) = sign.filter(|_| !on.contains(feature)) {
                        let by = format!("`{sign}` of {name}");
                        missing
                            .entry(feature)
                            .or_insert((member.name.to_string(), by));
                    }
                }
                if dependency.name == "sea-orm-migration" && !on.contains("sea-orm-migration") {
                    let by = "sea-orm-migration".to_owned();
                    missing
                        .entry("sea-orm-migration")
                        .or_insert((member.name.to_string(), by));
                }
            }
            let has_migrations = member.manifest_path.with_file_name("migrations").is_dir();
            let has_sqlx = member
                .dependencies
                .iter()
                .any(|dependency| dependency.name == "sqlx");
            if has_migrations && has_sqlx && !on.contains("sqlx") {
                let by = "sqlx and has `migrations/`".to_owned();
                missing
                    .entry("sqlx")
                    .or_insert((member.name.to_string(), by));
            }
        }
        for (feature, (member, by)) in missing {
            let why = match feature {
                "sea-orm-migration" => "`Schema::migrations` needs it",
                "sqlx" => "`Schema::sqlx` needs it",
                _ => "tests on that database need it",
            };
            findings.push(Finding::note(
                topic,
                format!("`{member}` uses {by}, and the feature `{feature}` of green-light is off"),
                format!("{why}: `cargo add --dev green-light --features {feature}`"),
            ));
        }
    }
}

/// The crates of green-light itself.
fn is_ours(package: &Package) -> bool {
    ["green-light", "green-light-core", "green-light-fixtures"].contains(&package.name.as_str())
}
