//! The SQL objects that guard the outer transaction of a test on PostgreSQL.

/// What every database of a sandbox holds besides its schema.
///
/// Other connections to the database may only read: what they wrote would be there for the next test.
///
/// `refuse_commit` fires when a transaction with a row in `guard` commits. It also fires on
/// `SET CONSTRAINTS ALL IMMEDIATE`: then it arms itself again, unless more text follows, which could be a commit.
///
/// `check_session` runs at the end of a test. It undoes what no rollback does: it releases advisory locks and
/// deallocates what the test prepared by `PREPARE`; statements of sqlx stay. It fails if the test changed columns
/// (1249 is `pg_attribute`) or types (1247, `pg_type`), rolled back or not: statements that sqlx has prepared
/// would describe other rows than they return, so the session is replaced.
///
/// `reset_sequences` runs before another process gets the database: a rollback does not reset sequences.
pub(crate) const GUARD: &str = r"
CREATE SCHEMA green_light;
GRANT USAGE ON SCHEMA green_light TO PUBLIC;
CREATE TABLE green_light.guard (armed int);
CREATE FUNCTION green_light.refuse_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_catalog.current_setting('green_light.ending', true) = 'on' THEN
    RETURN NULL;
  END IF;
  IF pg_catalog.current_query() ~* '^\s*SET\s+CONSTRAINTS\s[^;]*;?\s*$' THEN
    SET CONSTRAINTS green_light.refuse_commit DEFERRED;
    INSERT INTO green_light.guard VALUES (1);
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE name = 'green_light_refused') THEN
    DEALLOCATE green_light_refused;
  END IF;
  EXECUTE 'PREPARE green_light_refused AS -- '
    || pg_catalog.regexp_replace(pg_catalog.left(pg_catalog.current_query(), 400), '\s+', ' ', 'g')
    || E'\nSELECT 1';
  RAISE EXCEPTION 'green-light: this transaction isolates a test and is never committed'
    USING ERRCODE = '25000', HINT = 'commit a transaction made by `begin()`; do not send `COMMIT` as text';
END $$;
CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT ON green_light.guard
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE green_light.refuse_commit();
CREATE FUNCTION green_light.check_session() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  unlocked text := pg_catalog.pg_advisory_unlock_all()::text;
  prepared text;
BEGIN
  FOR prepared IN SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql LOOP
    EXECUTE pg_catalog.format('DEALLOCATE %I', prepared);
  END LOOP;
  IF pg_catalog.pg_stat_get_xact_tuples_inserted(1249) > 0
    OR pg_catalog.pg_stat_get_xact_tuples_updated(1249) > 0
    OR pg_catalog.pg_stat_get_xact_tuples_deleted(1249) > 0
    OR pg_catalog.pg_stat_get_xact_tuples_inserted(1247) > 0
  THEN
    RAISE EXCEPTION 'green-light: the session has changed' USING ERRCODE = 'GL001';
  END IF;
END $$;
CREATE TABLE green_light.sequence (id oid, last bigint, called boolean);
DO $$
DECLARE
  each record;
BEGIN
  FOR each IN SELECT c.oid, nspname, relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace WHERE relkind = 'S'
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('INSERT INTO green_light.sequence SELECT %s, last_value, is_called FROM %I.%I',
        each.oid, each.nspname, each.relname);
    EXCEPTION WHEN insufficient_privilege THEN
      INSERT INTO green_light.sequence VALUES (each.oid, NULL, NULL);
    END;
  END LOOP;
END $$;
CREATE FUNCTION green_light.reset_sequences() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  each record;
  moved boolean;
BEGIN
  FOR each IN SELECT id, last, called, nspname, relname FROM green_light.sequence
    LEFT JOIN pg_catalog.pg_class c ON c.oid = id LEFT JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
  LOOP
    IF each.last IS NULL OR each.relname IS NULL THEN
      RAISE EXCEPTION 'green-light: a sequence cannot be reset';
    END IF;
    EXECUTE pg_catalog.format('SELECT last_value <> $1 OR is_called <> $2 FROM %I.%I', each.nspname, each.relname)
      INTO STRICT moved USING each.last, each.called;
    IF moved THEN
      PERFORM pg_catalog.setval(each.id::pg_catalog.regclass, each.last, each.called);
    END IF;
  END LOOP;
END $$;
DO $$ BEGIN
  EXECUTE pg_catalog.format(
    'ALTER DATABASE %I SET default_transaction_read_only = on', pg_catalog.current_database());
END $$;
";
