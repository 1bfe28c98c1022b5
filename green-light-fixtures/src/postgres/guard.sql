DO $$ BEGIN
  -- An event trigger of the schema hears nothing of this.
  PERFORM pg_catalog.set_config('session_replication_role', 'replica', false);
EXCEPTION WHEN insufficient_privilege THEN
  NULL;
END $$;
CREATE SCHEMA green_light;
GRANT USAGE ON SCHEMA green_light TO PUBLIC;
CREATE TABLE green_light.guard (armed bigint);
CREATE FUNCTION green_light.refuse_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_catalog.strpos(pg_catalog.current_query(), 'green_light.check_guard(' || NEW.armed || ')') > 0
    OR pg_catalog.strpos(pg_catalog.current_query(), 'green_light.check_session(' || NEW.armed || ',') > 0
  THEN
    RETURN NULL;
  END IF;
  IF pg_catalog.strpos(pg_catalog.current_query(), 'green_light.guard_again(' || NEW.armed || ')') > 0 THEN
    RETURN NULL;
  END IF;
  IF pg_catalog.current_query() ~* '^\s*SET\s+CONSTRAINTS\s[^;]*;?\s*$' THEN
    SET CONSTRAINTS green_light.refuse_commit DEFERRED;
    INSERT INTO green_light.guard VALUES (NEW.armed);
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
CREATE FUNCTION green_light.guard_again(token bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO green_light.guard VALUES (token);
END $$;
CREATE FUNCTION green_light.check_guard(token bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM green_light.guard WHERE armed = token
    AND xmin::text = (pg_catalog.txid_current() & 4294967295)::text)
  THEN
    RAISE EXCEPTION 'green-light: this is not the transaction of the test' USING ERRCODE = 'GL002';
  END IF;
END $$;
CREATE FUNCTION green_light.check_session(token bigint, settings text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  unlocked text := pg_catalog.pg_advisory_unlock_all()::text;
  prepared text;
  catalog oid;
BEGIN
  PERFORM green_light.check_guard(token);
  FOR prepared IN SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql LOOP
    EXECUTE pg_catalog.format('DEALLOCATE %I', prepared);
  END LOOP;
  DISCARD SEQUENCES;
  PERFORM pg_catalog.setseed(pg_catalog.hashtext(pg_catalog.clock_timestamp()::text) / 2147483648.0);
  IF EXISTS (SELECT FROM green_light.sequence WHERE last IS NOT NULL
    AND pg_catalog.abs(pg_catalog.pg_sequence_last_value(id)::numeric - last) > room)
  THEN
    PERFORM green_light.reset_sequences(true);
  END IF;
  -- pg_attribute, pg_type, pg_proc, pg_cast, pg_operator, pg_namespace
  FOREACH catalog IN ARRAY '{1249, 1247, 1255, 2605, 2617, 2615}'::oid[] LOOP
    IF pg_catalog.pg_stat_get_xact_tuples_inserted(catalog) > 0
      OR pg_catalog.pg_stat_get_xact_tuples_updated(catalog) > 0
      OR pg_catalog.pg_stat_get_xact_tuples_deleted(catalog) > 0
    THEN
      RAISE EXCEPTION 'green-light: the session has changed' USING ERRCODE = 'GL001';
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_catalog.unnest(settings) name WHERE pg_catalog.current_setting(name, true) IS NOT NULL)
  THEN
    RAISE EXCEPTION 'green-light: the session knows a setting' USING ERRCODE = 'GL001';
  END IF;
END $$;
CREATE TABLE green_light.sequence (id oid, last bigint, called boolean, room bigint);
DO $$
DECLARE
  each record;
BEGIN
  FOR each IN SELECT c.oid, nspname, relname,
      least((seqmax::numeric - seqmin) / 8, 9e18)::bigint AS room
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
    JOIN pg_catalog.pg_sequence ON seqrelid = c.oid WHERE relkind = 'S'
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('INSERT INTO green_light.sequence SELECT %s, last_value, is_called, %s FROM %I.%I',
        each.oid, each.room, each.nspname, each.relname);
    EXCEPTION WHEN insufficient_privilege THEN
      INSERT INTO green_light.sequence VALUES (each.oid, NULL, NULL, each.room);
    END;
  END LOOP;
END $$;
CREATE FUNCTION green_light.reset_sequences(only_far boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  each record;
  moved boolean;
BEGIN
  FOR each IN SELECT id, last, called, nspname, relname FROM green_light.sequence
    LEFT JOIN pg_catalog.pg_class c ON c.oid = id LEFT JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
    WHERE NOT only_far OR last IS NOT NULL AND pg_catalog.abs(pg_catalog.pg_sequence_last_value(id)::numeric - last) > room
  LOOP
    IF each.last IS NULL OR each.relname IS NULL THEN
      RAISE EXCEPTION 'green-light: a sequence cannot be reset' USING ERRCODE = 'GL003';
    END IF;
    EXECUTE pg_catalog.format('SELECT last_value <> $1 OR is_called <> $2 FROM %I.%I', each.nspname, each.relname)
      INTO STRICT moved USING each.last, each.called;
    IF moved THEN
      PERFORM pg_catalog.setval(each.id::pg_catalog.regclass, each.last, each.called);
    END IF;
  END LOOP;
END $$;
CREATE FUNCTION green_light.digest_of(id oid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  EXECUTE pg_catalog.format(
    'SELECT pg_catalog.count(*) || '':'' || coalesce(pg_catalog.sum(pg_catalog.hashtext(ctid::text || xmin)), 0) FROM %s',
    id::pg_catalog.regclass) INTO digest;
  RETURN digest;
EXCEPTION WHEN insufficient_privilege THEN
  RETURN NULL;
END $$;
CREATE FUNCTION green_light.digests() RETURNS TABLE (id oid, digest text) LANGUAGE sql AS $$
  SELECT c.oid, green_light.digest_of(c.oid) FROM pg_catalog.pg_class c
  WHERE (relkind IN ('r', 'm') AND c.oid >= 16384 AND relname <> 'content'
      AND relnamespace <> 'pg_toast'::pg_catalog.regnamespace)
    OR c.oid IN (1247, 1249, 1255, 1259, 2606, 2615, 2620, 2995)
$$;
CREATE TABLE green_light.content (id oid, digest text);
CREATE FUNCTION green_light.changed_tables() RETURNS text LANGUAGE sql AS $$
  SELECT pg_catalog.string_agg(coalesce(c.relname::text, 'a table that is gone'), ', ' ORDER BY c.oid < 16384, c.relname)
  FROM green_light.content was FULL JOIN green_light.digests() now ON now.id = was.id
  LEFT JOIN pg_catalog.pg_class c ON c.oid = coalesce(now.id, was.id)
  WHERE now.digest IS DISTINCT FROM was.digest
$$;
