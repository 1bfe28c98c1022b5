//! Temporary tables and cursors end with the transaction of the application, as at a commit.

use green_light_fixtures::{Backend, Engine, Schema};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{begin, engine_of, engine_on, expect_clean, finish, number, run, text};

/// How a transaction is begun, and a text sent in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    SeaOrm,
    SeaOrmUnprepared,
    Sqlx,
    SqlxUnprepared,
    /// Outside of transactions.
    Alone,
}

const WAYS: [Way; 4] = [
    Way::SeaOrm,
    Way::SeaOrmUnprepared,
    Way::Sqlx,
    Way::SqlxUnprepared,
];

fn statement(sql: &str) -> Statement {
    Statement::from_string(sea_orm::DbBackend::Postgres, sql)
}

/// Sends the texts in one transaction, which is committed.
async fn commit(db: &DatabaseConnection, way: Way, texts: &[&str]) {
    match way {
        Way::SeaOrm | Way::SeaOrmUnprepared => {
            let tx = db.begin().await.unwrap();
            for sql in texts {
                let sent = match way {
                    Way::SeaOrm => tx.execute_raw(statement(sql)).await,
                    _ => tx.execute_unprepared(sql).await,
                };
                sent.unwrap();
            }
            tx.commit().await.unwrap();
        }
        Way::Sqlx | Way::SqlxUnprepared => {
            let pool = db.get_postgres_connection_pool();
            let mut tx = pool.begin().await.unwrap();
            for sql in texts {
                let sql = AssertSqlSafe(*sql);
                match way {
                    Way::Sqlx => sqlx::query(sql).execute(&mut *tx).await.unwrap(),
                    _ => tx.execute(sql).await.unwrap(),
                };
            }
            tx.commit().await.unwrap();
        }
        Way::Alone => {
            for sql in texts {
                db.execute_raw(statement(sql)).await.unwrap();
            }
        }
    }
}

/// The temporary tables there are.
const TABLES: &str = "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class \
    WHERE relpersistence = 't' AND relkind IN ('r', 'p')";
const CURSORS: &str = "SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM pg_cursors \
    WHERE name NOT IN ('', 'x')";

/// As the application made them in transactions of their own: each text, and what is left after it.
const MADE: &[(&str, &str)] = &[
    ("CREATE TEMP TABLE a (x int) ON COMMIT DROP", ""),
    (
        "CREATE LOCAL TEMPORARY TABLE IF NOT EXISTS pg_temp.\"A b\" (x text DEFAULT ';') on commit /* . */ drop",
        "",
    ),
    ("CREATE TEMP TABLE a ON COMMIT DROP AS SELECT 1 AS x", ""),
    ("CREATE TABLE pg_temp.a (x int) ON COMMIT DROP", ""),
    (
        "DO $$ BEGIN CREATE TEMP TABLE a (x int) ON COMMIT DROP; CREATE TEMP TABLE b (x int); END $$",
        "b",
    ),
    (
        "DO $$ BEGIN EXECUTE format('CREATE TEMP TABLE %I (x int) ON COMMIT DROP', 'a'); END $$",
        "",
    ),
    ("SELECT in_sql()", ""),
    ("SELECT in_plpgsql()", "stays"),
    ("CREATE TEMP TABLE a (x int)", "a"),
    ("CREATE TEMP TABLE a (x int) ON COMMIT PRESERVE ROWS", "a"),
    ("SELECT 1 AS x INTO TEMP a", "a"),
    ("CREATE TEMP TABLE a (x text DEFAULT 'on commit drop')", "a"),
];

const MAKERS: &str = "
    CREATE TABLE u (id bigserial PRIMARY KEY, email text);
    INSERT INTO u (email) VALUES ('seed');
    CREATE FUNCTION in_sql() RETURNS void LANGUAGE sql AS
      'CREATE TEMP TABLE made (x int) ON COMMIT DROP';
    CREATE FUNCTION in_plpgsql() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
      CREATE TEMP TABLE goes (x int) ON COMMIT DROP; CREATE TEMP TABLE stays (x int); END $$;
    CREATE FUNCTION opened() RETURNS refcursor LANGUAGE plpgsql AS $$
      DECLARE c refcursor := 'of_a_function'; BEGIN OPEN c FOR SELECT 1; RETURN c; END $$";

async fn engine_with_makers() -> Engine {
    engine_of(Backend::Postgres, Schema::sql(MAKERS)).await
}

#[test]
fn a_temporary_table_goes_with_its_transaction_as_it_says() {
    run(async {
        let engine = engine_with_makers().await;
        for way in WAYS.into_iter().chain([Way::Alone]) {
            for (sql, left) in MADE {
                let test = begin(&engine).await;
                let db = test.connection();
                commit(&db, way, &[sql]).await;
                assert_eq!(text(&db, TABLES).await, *left, "{way:?}: `{sql}`");
                drop(db);
                finish(test).await;
            }
            let test = begin(&engine).await;
            let db = test.connection();
            if way != Way::Alone {
                let several = [
                    "CREATE TEMP TABLE p (x int) PARTITION BY LIST (x) ON COMMIT DROP",
                    "CREATE TEMP TABLE p1 PARTITION OF p FOR VALUES IN (1) ON COMMIT DROP",
                    "CREATE TEMP TABLE a (x int) ON COMMIT DROP",
                    "INSERT INTO a SELECT x FROM (VALUES (1)) v (x)",
                    "CREATE TEMP VIEW v AS SELECT * FROM a",
                ];
                commit(&db, way, &several).await;
                assert_eq!(text(&db, TABLES).await, "", "{way:?}");
                // The name is free again, as in production.
                commit(&db, way, &["CREATE TEMP TABLE a (y text)"]).await;
                assert_eq!(text(&db, TABLES).await, "a", "{way:?}");
            }
            drop(db);
            finish(test).await;
        }
        expect_clean(&engine).await;
    });
}

#[test]
fn a_temporary_table_is_emptied_at_each_commit_if_it_says_so() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let count = "SELECT count(*) FROM staging";
        for way in WAYS {
            let test = begin(&engine).await;
            let db = test.connection();
            let make = "CREATE TEMP TABLE staging (x int) ON COMMIT DELETE ROWS";
            let fill = "INSERT INTO staging VALUES (1)";
            commit(&db, way, &[make, fill]).await;
            assert_eq!(number(&db, count).await, 0, "{way:?}");
            let tx = db.begin().await.unwrap();
            tx.execute_raw(statement(fill)).await.unwrap();
            let inner = tx.begin().await.unwrap();
            inner.commit().await.unwrap();
            assert_eq!(
                number(&tx, count).await,
                1,
                "{way:?}: within the transaction"
            );
            tx.commit().await.unwrap();
            assert_eq!(number(&db, count).await, 0, "{way:?}");
            // Outside of transactions each statement is one.
            commit(&db, Way::Alone, &[fill]).await;
            assert_eq!(number(&db, count).await, 0, "{way:?}");
            // What is rolled back takes the table along, and what is known of it.
            let tx = db.begin().await.unwrap();
            tx.execute_unprepared(
                "DROP TABLE staging; CREATE TEMP TABLE staging (x int) ON COMMIT DROP",
            )
            .await
            .unwrap();
            tx.rollback().await.unwrap();
            commit(&db, way, &[fill]).await;
            assert_eq!(number(&db, count).await, 0, "{way:?}");
            drop(db);
            finish(test).await;
        }
        expect_clean(&engine).await;
    });
}

#[test]
fn a_cursor_is_closed_at_the_commit_and_one_with_hold_is_not() {
    run(async {
        let engine = engine_with_makers().await;
        for way in WAYS {
            let test = begin(&engine).await;
            let db = test.connection();
            let declare = [
                "DECLARE \"Goes now\" CURSOR FOR SELECT 1",
                "DECLARE stays CURSOR WITH HOLD FOR SELECT id FROM u",
                "SELECT opened()",
            ];
            commit(&db, way, &declare).await;
            assert_eq!(text(&db, CURSORS).await, "stays", "{way:?}");
            assert!(db.execute_unprepared("FETCH \"Goes now\"").await.is_err());
            assert_eq!(number(&db, "FETCH stays").await, 1, "{way:?}");
            commit(&db, Way::Alone, &["SELECT opened()"]).await;
            assert_eq!(text(&db, CURSORS).await, "stays", "{way:?}");
            drop(db);
            finish(test).await;
        }
        expect_clean(&engine).await;
    });
}

/// An application drops what it has made itself, or changes it, and sets its role and its path.
#[test]
fn what_an_application_does_to_its_temporary_tables_disturbs_nothing() {
    run(async {
        let sql = "CREATE ROLE green_light_it_temporary;
            CREATE TABLE u (id bigserial PRIMARY KEY, email text);
            INSERT INTO u (email) VALUES ('seed');
            CREATE TABLE heard (tag text);
            GRANT ALL ON heard TO PUBLIC;
            CREATE FUNCTION hear() RETURNS event_trigger LANGUAGE plpgsql AS
              $$ BEGIN INSERT INTO public.heard VALUES (tg_tag); END $$;
            CREATE EVENT TRIGGER hear ON ddl_command_end EXECUTE FUNCTION hear();
            CREATE EVENT TRIGGER hear_drop ON sql_drop EXECUTE FUNCTION hear()";
        let engine = engine_of(Backend::Postgres, Schema::sql(sql)).await;
        let test = begin(&engine).await;
        let db = test.connection();
        let texts = [
            "SET LOCAL ROLE green_light_it_temporary",
            "SET LOCAL search_path = pg_temp",
            "CREATE TEMP TABLE a (x int) ON COMMIT DROP",
            "CREATE TEMP TABLE b (x int) ON COMMIT DROP",
            "ALTER TABLE a RENAME TO renamed",
            "DROP TABLE b",
        ];
        commit(&db, Way::SeaOrm, &texts).await;
        assert_eq!(text(&db, TABLES).await, "");
        let heard = "SELECT string_agg(tag, ', ') FROM heard";
        assert_eq!(
            text(&db, heard).await,
            "CREATE TABLE, CREATE TABLE, ALTER TABLE, DROP TABLE, DROP TABLE"
        );
        drop(db);
        finish(test).await;
    });
}

/// A commit that production refuses for a temporary table is not silent.
#[test]
fn what_cannot_be_done_to_a_temporary_table_ends_no_test() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let test = begin(&engine).await;
        let db = test.connection();
        let texts = [
            "CREATE TEMP TABLE a (x int PRIMARY KEY) ON COMMIT DELETE ROWS",
            "CREATE TEMP TABLE b (x int REFERENCES a)",
            "INSERT INTO a VALUES (1)",
        ];
        commit(&db, Way::SeaOrm, &texts).await;
        assert_eq!(number(&db, "SELECT count(*) FROM a").await, 1);
        drop(db);
        finish(test.clone()).await;
        let remarks = test.remarks();
        let [remark] = &remarks[..] else {
            panic!("{remarks:?}");
        };
        assert!(
            remark.contains("cannot truncate a table referenced in a foreign key constraint")
                && remark.contains("isolation = database"),
            "{remark}"
        );
        expect_clean(&engine).await;
    });
}

/// A cursor `WITH HOLD` outlives its table in production.
#[test]
fn a_table_that_a_cursor_with_hold_reads_stays_and_that_is_a_remark() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let test = begin(&engine).await;
        let db = test.connection();
        let texts = [
            "CREATE TEMP TABLE a (x bigint) ON COMMIT DROP",
            "INSERT INTO a VALUES (1), (2)",
            "DECLARE kept CURSOR WITH HOLD FOR SELECT x FROM a",
        ];
        commit(&db, Way::SeaOrm, &texts).await;
        assert_eq!(text(&db, TABLES).await, "a");
        assert_eq!(number(&db, "FETCH FORWARD 1 FROM kept").await, 1);
        drop(db);
        finish(test.clone()).await;
        let remarks = test.remarks();
        let [remark] = &remarks[..] else {
            panic!("{remarks:?}");
        };
        assert!(
            remark.contains("being used by active queries in this session")
                && remark.contains("isolation = database"),
            "{remark}"
        );
        expect_clean(&engine).await;
    });
}
