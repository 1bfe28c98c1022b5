//! What other crates and other places call an option: the cure for a name that is no option here.

/// The cure for the option `name` of `#[attribute(..)]`.
pub(crate) fn option(attribute: &str, name: &str) -> Option<String> {
    let cure = if attribute == "fixture" {
        of_fixture(name)
    } else {
        of_test(name)
    };
    cure.or_else(|| {
        // Words without their option.
        let scope = if attribute == "fixture" {
            scope(name)
        } else {
            None
        };
        scope.map(|ours| format!("write `scope = \"{ours}\"`"))
    })
}

fn of_fixture(name: &str) -> Option<String> {
    let cure = match name {
        "override" | "replaces" | "replace" => {
            "write `overrides = path::to::fixture`, such as `overrides = \
             green_light::fixtures::schema`"
        }
        "name" | "rename" | "alias" => {
            "the name of the function is the name of the fixture; those who request it by another \
             write `#[from(name)]`"
        }
        "params" | "param" | "values" | "cases" => {
            "give the fixture a parameter with `#[default(value)]`, which tests set with \
             `#[with(name = value)]`; a test has cases by `#[values(..)]`"
        }
        "default" | "defaults" => "write `#[default(value)]` on the parameter of the fixture",
        "with" | "partial" => "write `#[with(name = value)]` on a parameter",
        "from" => "write `#[from(path::to::fixture)]` on the parameter",
        "async" => "write `async fn`",
        "uses" | "depends" | "requires" => "take what the fixture needs as a parameter",
        "teardown" | "yield" => {
            "take `out: Yield<T>`, write `out.give(value).await`, and the teardown after it"
        }
        "isolation" | "timeout" | "backends" | "runtime" | "local" | "start_paused" | "xfail" => {
            "it is an option of a test: write it in `#[green_light::test(..)]`"
        }
        _ => return None,
    };
    Some(cure.to_owned())
}

fn of_test(name: &str) -> Option<String> {
    let cure = match name {
        "flavor" | "worker_threads" | "threads" => {
            "remove it, as tests share a runtime with several threads; `runtime = \
             \"current_thread\"` gives a test one of its own, with one thread"
        }
        "migrations" | "migrator" | "migrate" | "schema" | "scripts" => {
            "override the fixture `schema`: `#[fixture(overrides = green_light::fixtures::schema)] \
             fn schema() -> Schema { .. }`"
        }
        "fixtures" | "fixture" | "use" => {
            "take fixtures as parameters, or write `uses(path::to::fixture)`; for files of SQL, see \
             the page `sql_fixtures` of the guide"
        }
        "ignore" | "skip" | "disabled" => "write `#[ignore = \"why\"]` below the attribute",
        "should_panic" | "panics" => "write `#[should_panic]` below the attribute",
        "serial" | "sequential" | "lock" => {
            "write `#[serial]` of the crate `serial_test`, or `isolation = database` if the tests \
             share nothing but a database"
        }
        "name" | "description" => "the name of the function is the name of the test",
        "case" | "cases" | "values" | "params" => {
            "write `#[case(..)]` below the attribute, or `#[values(..)]` on a parameter"
        }
        "async" => "write `async fn`",
        "autouse" | "scope" | "overrides" | "override" | "around" | "fresh" | "reach" => {
            "it is an option of a fixture: write it in `#[fixture(..)]`"
        }
        "rollback" | "tx" => "write `isolation = transaction`, which is the default",
        "transaction" | "database" | "shared" => {
            return Some(format!("write `isolation = {name}`"));
        }
        "sqlite" | "postgres" | "mysql" => return Some(format!("write `backends({name})`")),
        "postgresql" | "pg" => "write `backends(postgres)`",
        "mariadb" => "write `backends(mysql)`",
        "db" | "pool" | "url" => {
            "override the fixture `engine` or `backend` for another database, and take `session`, \
             `pg_pool` or `database_url` as a parameter"
        }
        _ => return None,
    };
    Some(cure.to_owned())
}

/// The scope that pytest and others call `name`.
pub(crate) fn scope(name: &str) -> Option<&'static str> {
    Some(match name {
        "test" | "function" | "method" | "each" => "test",
        "module" | "class" | "package" | "file" => "module",
        "process" | "session" | "global" | "static" | "once" | "shared" | "crate" | "binary"
        | "all" => "process",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_others_have_a_cure() {
        let cure = |attribute, name| option(attribute, name).unwrap_or_default();
        assert!(cure("fixture", "override").contains("overrides ="));
        assert!(cure("fixture", "session").contains("scope = \"process\""));
        assert!(cure("green_light::test", "flavor").contains("current_thread"));
        assert!(cure("green_light::test", "mysql").contains("backends(mysql)"));
        assert_eq!(option("green_light::test", "session"), None);
        assert_eq!(option("fixture", "flavour"), None);
    }
}
