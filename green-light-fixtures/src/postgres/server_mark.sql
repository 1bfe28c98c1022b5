WITH ours AS MATERIALIZED (
  SELECT oid FROM pg_catalog.pg_database
  WHERE datname ~ '^(gl_[a-z]+_|green_light_)' OR pg_catalog.pg_get_userbyid(datdba) ~ '^(gl_[a-z]+_|green_light_)'
  UNION ALL SELECT oid FROM pg_catalog.pg_roles WHERE rolname ~ '^(gl_[a-z]+_|green_light_)'
), state (text) AS (
  SELECT pg_catalog.concat('d', count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_database
    WHERE oid NOT IN (SELECT oid FROM ours)
  UNION ALL SELECT pg_catalog.concat('r', count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_authid
    WHERE oid NOT IN (SELECT oid FROM ours)
  UNION ALL SELECT pg_catalog.concat('m', count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_auth_members
    WHERE roleid NOT IN (SELECT oid FROM ours) AND member NOT IN (SELECT oid FROM ours)
  UNION ALL SELECT pg_catalog.concat('s', count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_db_role_setting
    WHERE setdatabase NOT IN (SELECT oid FROM ours) AND setrole NOT IN (SELECT oid FROM ours)
  UNION ALL SELECT pg_catalog.concat('c', count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_shdescription
    WHERE objoid NOT IN (SELECT oid FROM ours)
  UNION ALL SELECT pg_catalog.concat('l', count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_shseclabel
    WHERE objoid NOT IN (SELECT oid FROM ours)
  UNION ALL SELECT pg_catalog.concat('t', count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_tablespace
  UNION ALL SELECT pg_catalog.concat('o', count(*), ' ', sum(xmin::text::bigint))
    FROM pg_catalog.pg_replication_origin
  UNION ALL SELECT 'n' || pg_catalog.string_agg(slot_name, ' ' ORDER BY slot_name)
    FROM pg_catalog.pg_get_replication_slots() WHERE NOT temporary
  UNION ALL SELECT pg_catalog.concat('f', size, ' ', modification)
    FROM pg_catalog.pg_stat_file('postgresql.auto.conf', true)
)
SELECT pg_catalog.string_agg(text, ';') FROM state
