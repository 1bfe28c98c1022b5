CREATE TABLE green_light.suspect (name text);
CREATE TABLE green_light.setting (name text);
DO $traces$
DECLARE
  innocent CONSTANT text[] := '{clock_timestamp, timeofday, random, random_normal, gen_random_uuid, uuidv4, uuidv7,
    nextval, currval, lastval, current_query, currtid2, pg_sleep, pg_sleep_for, pg_sleep_until, pg_notify,
    pg_advisory_lock, pg_advisory_lock_shared, pg_advisory_unlock, pg_advisory_unlock_all, pg_advisory_unlock_shared,
    pg_advisory_xact_lock, pg_advisory_xact_lock_shared, pg_try_advisory_lock, pg_try_advisory_lock_shared,
    pg_try_advisory_xact_lock, pg_try_advisory_xact_lock_shared, lo_close, lo_creat, lo_create, lo_from_bytea, lo_get,
    lo_lseek, lo_lseek64, lo_open, lo_put, lo_tell, lo_tell64, lo_truncate, lo_truncate64, lo_unlink, loread, lowrite,
    pg_blocking_pids, pg_current_wal_flush_lsn, pg_current_wal_insert_lsn, pg_current_wal_lsn, pg_database_size,
    pg_export_snapshot, pg_indexes_size, pg_is_in_recovery, pg_jit_available, pg_last_committed_xact, pg_lock_status,
    pg_notification_queue_usage, pg_partition_ancestors, pg_partition_tree, pg_prepared_xact, pg_relation_size,
    pg_sequence_last_value, pg_stat_clear_snapshot, pg_stat_get_xact_blocks_fetched, pg_stat_get_xact_blocks_hit,
    pg_stat_get_xact_tuples_deleted, pg_stat_get_xact_tuples_inserted, pg_stat_get_xact_tuples_updated,
    pg_table_size, pg_tablespace_size, pg_total_relation_size, pg_xact_commit_timestamp, pg_xact_status, txid_status}';
  extensions CONSTANT text[] := '{plpgsql, uuid-ossp, pgcrypto, citext, hstore, pg_trgm, btree_gin, btree_gist,
    intarray, ltree, cube, earthdistance, fuzzystrmatch, unaccent, seg, lo, postgis, postgis_topology, vector, pg_uuidv7,
    moddatetime, tcn, insert_username, autoinc, refint, tsm_system_rows, tsm_system_time, bloom}';
  acting CONSTANT text := '(^|;|\m(begin|then|else|loop|atomic)\M)\s*(<<\w+>>\s*)?(set|reset|load|listen|unlisten|discard|'
    'prepare|deallocate|declare\s+\S+\s+(\w+\s+)*cursor|alter|create|drop|do|copy|grant|revoke|comment|security|'
    'reassign|import|refresh|checkpoint)\M|\mexecute\M|U&"';
  -- The first two decide what may be set.
  everyday CONSTANT text[] := '{session_authorization, role, search_path, timezone, datestyle, intervalstyle,
    statement_timeout, lock_timeout, idle_in_transaction_session_timeout, transaction_timeout, row_security,
    session_replication_role, client_min_messages, application_name, work_mem, maintenance_work_mem, synchronous_commit,
    bytea_output, extra_float_digits, check_function_bodies, default_transaction_isolation, enable_seqscan,
    enable_indexscan, enable_nestloop, enable_hashjoin, enable_bitmapscan, jit, plan_cache_mode, lc_monetary, lc_numeric,
    lc_time, default_text_search_config, default_tablespace, constraint_exclusion, max_parallel_workers_per_gather}';
  expressions text;
  suspects text;
  settled boolean := false;
BEGIN
  INSERT INTO green_light.suspect SELECT DISTINCT proname::text FROM pg_catalog.pg_proc
    WHERE oid < 16384 AND provolatile = 'v' AND proname::text <> ALL (innocent)
      AND NOT 'internal'::pg_catalog.regtype = ANY (proargtypes::oid[])
      AND prorettype NOT IN ('internal'::pg_catalog.regtype, 'trigger'::pg_catalog.regtype,
        'language_handler'::pg_catalog.regtype);
  CREATE TABLE green_light.routine AS
    SELECT p.oid AS id, proname::text AS name, is_plain AND prosrc <> '' AS is_read,
      CASE WHEN NOT is_plain OR prokind NOT IN ('f', 'p') THEN ''
        WHEN prosrc <> '' THEN prosrc ELSE pg_catalog.pg_get_functiondef(p.oid) END AS body,
      NOT is_known AND (NOT is_plain AND prokind <> 'a'
        OR EXISTS (SELECT FROM pg_catalog.unnest(proconfig) setting WHERE pg_catalog.split_part(setting, '=', 1) LIKE '%.%'))
        AS is_suspect,
      is_known
    FROM pg_catalog.pg_proc p, LATERAL (SELECT
      prolang IN (SELECT oid FROM pg_catalog.pg_language WHERE lanname IN ('sql', 'plpgsql')) AS is_plain,
      EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
          AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
          AND extname::text = ANY (extensions)) AS is_known) known
    WHERE p.oid >= 16384 AND pronamespace <> 'green_light'::pg_catalog.regnamespace;
  SELECT pg_catalog.string_agg(text, E';\n') INTO expressions FROM (
    SELECT pg_catalog.pg_get_expr(adbin, adrelid) FROM pg_catalog.pg_attrdef WHERE oid >= 16384
    UNION ALL SELECT pg_catalog.pg_get_viewdef(oid) FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind IN ('v', 'm')
    UNION ALL SELECT pg_catalog.pg_get_ruledef(oid) FROM pg_catalog.pg_rewrite
      WHERE oid >= 16384 AND rulename <> '_RETURN'
    UNION ALL SELECT pg_catalog.concat(pg_catalog.pg_get_expr(polqual, polrelid), ' ',
      pg_catalog.pg_get_expr(polwithcheck, polrelid)) FROM pg_catalog.pg_policy
    UNION ALL SELECT pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
      WHERE oid >= 16384 AND contype = 'c'
    UNION ALL SELECT pg_catalog.pg_get_triggerdef(oid) FROM pg_catalog.pg_trigger
      WHERE NOT tgisinternal AND tgqual IS NOT NULL AND tgrelid <> 'green_light.guard'::pg_catalog.regclass
    UNION ALL SELECT pg_catalog.pg_get_indexdef(indexrelid) FROM pg_catalog.pg_index
      WHERE indexrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
  ) expressions (text);
  UPDATE green_light.routine SET is_suspect = true WHERE NOT is_suspect AND NOT is_known
    AND (body ~* acting OR pg_catalog.regexp_replace(pg_catalog.regexp_replace(
      body, '/\*.*?\*/', ' ', 'g'), '--[^\n]*', ' ', 'g') ~* acting);
  WHILE NOT settled LOOP
    INSERT INTO green_light.suspect SELECT DISTINCT name FROM green_light.routine
      WHERE is_suspect AND name NOT IN (SELECT name FROM green_light.suspect);
    SELECT '\m(' || pg_catalog.string_agg(pg_catalog.regexp_replace(name, '\W', '.', 'g'), '|') || ')\M'
      INTO suspects FROM green_light.suspect;
    UPDATE green_light.routine r SET is_suspect = true WHERE NOT is_suspect AND NOT is_known AND (body ~* suspects
      OR EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN green_light.routine other ON other.id = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = r.id AND other.is_suspect
          AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass));
    settled := NOT FOUND;
  END LOOP;
  INSERT INTO green_light.setting SELECT DISTINCT names[1]
    FROM (SELECT body FROM green_light.routine UNION ALL SELECT expressions) texts (text),
      pg_catalog.regexp_matches(text, '\m(?:current_setting|set_config)\M\s*\(\s*E?''([^'']+\.[^'']+)''', 'gi') names;
  CREATE TABLE green_light.watched AS SELECT name::text, pg_catalog.row_number() OVER () AS place
    FROM (SELECT pg_catalog.unnest(everyday) UNION ALL SELECT DISTINCT pg_catalog.lower(name)
      FROM green_light.setting) names (name);
  EXECUTE pg_catalog.format('CREATE FUNCTION green_light.settings() RETURNS text LANGUAGE plpgsql AS $settings$ '
      'DECLARE note text := ''''; BEGIN '
      'IF EXISTS (SELECT FROM pg_catalog.pg_cursor() WHERE NOT is_holdable AND name <> '''') THEN '
      'PERFORM green_light.close_cursors(); END IF; '
      'IF pg_catalog.pg_my_temp_schema() <> 0 THEN note := green_light.end_temporary(); END IF; '
      'RETURN pg_catalog.concat_ws(E''\x1f'', note, %s); END $settings$',
    (SELECT pg_catalog.string_agg(
      CASE WHEN name LIKE '%.%' OR pg_catalog.current_setting(name, true) IS NULL
        THEN pg_catalog.format('coalesce(pg_catalog.current_setting(%L, true), E''\x1e'')', name)
        ELSE pg_catalog.format('pg_catalog.current_setting(%L, true)', name) END,
      ', ' ORDER BY place) FROM green_light.watched));
  CREATE TABLE green_light.traces AS SELECT coalesce(expressions ~* suspects, false)
    OR EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN green_light.routine r ON r.id = d.refobjid
      WHERE r.is_suspect AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        AND d.classid NOT IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_language'::pg_catalog.regclass,
          'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass))
    OR EXISTS (SELECT FROM pg_catalog.pg_foreign_table) AS are_implicit,
    EXISTS (SELECT FROM green_light.routine WHERE NOT is_known AND body ~* '\mopen\M') AS open_cursors,
    EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgdeferrable
      AND tgrelid <> 'green_light.guard'::pg_catalog.regclass)
      OR EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE condeferrable
      AND conrelid <> 'green_light.guard'::pg_catalog.regclass) AS defers,
    ARRAY(SELECT DISTINCT pg_catalog.format('%I.%I', nspname, conname) FROM pg_catalog.pg_constraint
      JOIN pg_catalog.pg_namespace n ON n.oid = connamespace WHERE condeferrable AND NOT condeferred) AS immediate,
    ARRAY(SELECT name FROM green_light.suspect) AS suspects,
    ARRAY(SELECT name FROM green_light.setting) AS settings,
    ARRAY(SELECT name FROM green_light.watched ORDER BY place) AS watched;
  DROP TABLE green_light.routine, green_light.suspect, green_light.setting, green_light.watched;
END $traces$;
