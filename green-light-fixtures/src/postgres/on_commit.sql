CREATE FUNCTION green_light.close_cursors() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  open text;
  -- A loop over a query would have a cursor of its own.
  found CONSTANT text[] := ARRAY(SELECT name FROM pg_catalog.pg_cursor() WHERE NOT is_holdable AND name <> '');
BEGIN
  FOREACH open IN ARRAY found LOOP
    EXECUTE pg_catalog.format('CLOSE %I', open);
  END LOOP;
END $$;
-- What the texts say of the table at a commit: (d)rop, (e)mpty, (k)eep, (?) several things; NULL if they do not make it.
CREATE FUNCTION green_light.said_of(made text, texts text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN pg_catalog.count(DISTINCT kind) > 1 THEN '?' ELSE pg_catalog.min(kind) END
  FROM (
    SELECT CASE pg_catalog.lower((pg_catalog.regexp_match(rest, '\mon\s+commit\s+(drop|delete)\M', 'i'))[1])
      WHEN 'drop' THEN 'd' WHEN 'delete' THEN 'e' ELSE 'k' END AS kind
    FROM (SELECT (pg_catalog.regexp_matches(texts, '\m(?:create\s+(?:(?:local|global|temp|temporary)\s+)*table\s+'
      '(?:if\s+not\s+exists\s+)?|into\s+(?:local\s+|global\s+)?temp(?:orary)?\s+(?:table\s+)?)(?:(?:\w+|"[^"]*")\s*\.\s*)?'
      || CASE WHEN made ~ '^[a-z_][a-z0-9_$]*$' THEN '"?' || pg_catalog.replace(made, '$', '\$') || '(?![\w$])'
        ELSE '"' || pg_catalog.regexp_replace(pg_catalog.replace(made, '"', '""'), '(\W)', '\\\1', 'g') || '"' END
      || '([^;]*)', 'gi'))[1] AS rest) rests
  ) kinds
$$;
-- The same, of each text until one makes the table, at last of the functions of the schema.
CREATE FUNCTION green_light.on_commit(made text, texts text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  each text;
  kind text;
  known text;
BEGIN
  FOREACH each IN ARRAY texts LOOP
    each := pg_catalog.regexp_replace(pg_catalog.regexp_replace(each, '/\*.*?\*/', ' ', 'g'), '--[^\n]*', ' ', 'g');
    -- A literal may hide a semicolon, or be the statement.
    kind := coalesce(
      green_light.said_of(made, pg_catalog.regexp_replace(each, '''(''''|[^''])*''', '''''', 'g')),
      green_light.said_of(made, pg_catalog.replace(each, '''', ' ; ')));
    EXIT WHEN kind IS NOT NULL;
  END LOOP;
  IF kind IS NULL THEN
    SELECT CASE WHEN pg_catalog.count(DISTINCT said) > 1 THEN '?' ELSE pg_catalog.min(said) END INTO kind
    FROM (SELECT green_light.said_of(made, prosrc) AS said FROM pg_catalog.pg_proc
      WHERE oid >= 16384 AND pg_catalog.strpos(pg_catalog.lower(prosrc), pg_catalog.lower(made)) > 0) bodies;
  END IF;
  RETURN coalesce(kind, '?');
END $$;
CREATE FUNCTION green_light.note_temporary() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  context text;
  each record;
  kind text;
BEGIN
  IF pg_catalog.pg_my_temp_schema() = 0 THEN
    RETURN;
  END IF;
  -- The statement, if a function or a block has sent it.
  GET DIAGNOSTICS context = PG_CONTEXT;
  context := pg_catalog.regexp_replace(context, '"\n(PL/\S+|SQL) ', E'" ;\n\\1 ', 'g');
  FOR each IN SELECT c.oid AS id, c.relname::text AS name FROM pg_catalog.pg_event_trigger_ddl_commands() made
    JOIN pg_catalog.pg_class c ON c.oid = made.objid
    WHERE made.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.relpersistence = 't' AND c.relkind IN ('r', 'p')
  LOOP
    kind := green_light.on_commit(each.name, ARRAY[context, pg_catalog.current_query()]);
    IF kind <> 'k' THEN
      -- A rollback takes a setting back, and one is read fast.
      PERFORM pg_catalog.set_config('green_light.temporary', pg_catalog.concat_ws(',',
        nullif(pg_catalog.current_setting('green_light.temporary', true), ''), each.id || '=' || kind), false);
    END IF;
  END LOOP;
END $$;
CREATE FUNCTION green_light.end_temporary() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  notes text := coalesce(pg_catalog.current_setting('green_light.temporary', true), '');
  texts text[];
  each record;
  dropped text;
  emptied text[];
  filled text;
  unknown text;
  has_rows boolean;
  failed text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger
    WHERE evtname = 'green_light_temporary' AND evtenabled <> 'D')
  THEN
    -- What was prepared is all that is known.
    FOR each IN SELECT oid AS id, relname::text AS name FROM pg_catalog.pg_class
      WHERE relnamespace = pg_catalog.pg_my_temp_schema() AND relkind IN ('r', 'p') AND notes !~ ('\m' || oid || '=')
    LOOP
      texts := coalesce(texts, ARRAY(SELECT statement FROM pg_catalog.pg_prepared_statement()));
      notes := pg_catalog.concat_ws(',', nullif(notes, ''), each.id || '=' || green_light.on_commit(each.name, texts));
    END LOOP;
  END IF;
  IF notes = '' THEN
    RETURN '';
  END IF;
  BEGIN
    SELECT pg_catalog.string_agg(name, ', ') FILTER (WHERE kind = 'd'),
      coalesce(pg_catalog.array_agg(name) FILTER (WHERE kind = 'e' AND relkind = 'r'), '{}'),
      pg_catalog.string_agg(relname, ', ') FILTER (WHERE kind = '?'),
      coalesce(pg_catalog.string_agg(id || '=' || kind, ',') FILTER (WHERE kind <> 'd'), '')
    INTO dropped, emptied, unknown, notes
    FROM (SELECT note[1]::oid AS id, note[2] AS kind FROM pg_catalog.regexp_matches(notes, '(\d+)=(.)', 'g') note) noted
      JOIN pg_catalog.pg_class c ON c.oid = id AND relnamespace = pg_catalog.pg_my_temp_schema(),
        pg_catalog.format('pg_temp.%I', relname) name;
    IF dropped IS NOT NULL THEN
      EXECUTE 'DROP TABLE ' || dropped || ' CASCADE';
    END IF;
    FOR place IN 1 .. coalesce(pg_catalog.array_length(emptied, 1), 0) LOOP
      EXECUTE 'SELECT EXISTS (SELECT FROM ONLY ' || emptied[place] || ')' INTO has_rows;
      IF has_rows THEN
        filled := pg_catalog.concat_ws(', ', filled, 'ONLY ' || emptied[place]);
      END IF;
    END LOOP;
    IF filled IS NOT NULL THEN
      EXECUTE 'TRUNCATE ' || filled;
    END IF;
    PERFORM pg_catalog.set_config('green_light.temporary', notes, false);
  EXCEPTION WHEN OTHERS THEN
    failed := SQLERRM;
  END;
  RETURN coalesce(nullif(pg_catalog.concat_ws(E'\x1d', CASE WHEN emptied <> '{}' THEN 'e' ELSE '' END,
    coalesce(unknown, ''), coalesce(failed, '')), E'\x1d\x1d'), '');
END $$;
DO $$ BEGIN
  ALTER FUNCTION green_light.end_temporary() SET search_path = pg_catalog, pg_temp;
  -- An event trigger of the application hears nothing of it.
  ALTER FUNCTION green_light.end_temporary() SET session_replication_role = replica;
  ALTER FUNCTION green_light.end_temporary() SET client_min_messages = error;
  ALTER FUNCTION green_light.note_temporary() SET lc_messages = 'C';
  ALTER FUNCTION green_light.note_temporary() SET search_path = pg_catalog, pg_temp;
  CREATE EVENT TRIGGER green_light_temporary ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS') EXECUTE FUNCTION green_light.note_temporary();
  ALTER EVENT TRIGGER green_light_temporary ENABLE ALWAYS;
EXCEPTION WHEN insufficient_privilege THEN
  ALTER FUNCTION green_light.end_temporary() SET search_path = pg_catalog, pg_temp;
END $$;
DO $$ BEGIN
  EXECUTE pg_catalog.format('CREATE FUNCTION green_light.after_unseen() RETURNS text LANGUAGE plpgsql AS $unseen$
    DECLARE executions text; BEGIN
      SELECT pg_catalog.string_agg(pg_catalog.concat(name, ''='', %s), '' '') INTO executions
        FROM pg_catalog.pg_prepared_statement() WHERE NOT from_sql;
      RETURN pg_catalog.concat(pg_catalog.pg_stat_get_xact_tuples_inserted(1249)
        + pg_catalog.pg_stat_get_xact_tuples_updated(1249)
        + pg_catalog.pg_stat_get_xact_tuples_deleted(1249) > 0, E''\x1d'', executions, E''\x1c'', green_light.settings());
    END $unseen$',
    CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 140000
      THEN 'generic_plans + custom_plans' ELSE '''''' END);
END $$;
