WITH ours AS MATERIALIZED (
  SELECT oid FROM pg_catalog.pg_database
  WHERE datname ~ '^(gl_[a-z]+_|green_light_)' OR pg_catalog.pg_get_userbyid(datdba) ~ '^(gl_[a-z]+_|green_light_)'
  UNION ALL SELECT oid FROM pg_catalog.pg_roles WHERE rolname ~ '^(gl_[a-z]+_|green_light_)'
), objects AS MATERIALIZED (
  SELECT 'pg_authid'::pg_catalog.regclass AS class, oid, 'role' AS kind, rolname AS name FROM pg_catalog.pg_roles
  UNION ALL SELECT 'pg_database'::pg_catalog.regclass, oid, 'database', datname FROM pg_catalog.pg_database
  UNION ALL SELECT 'pg_tablespace'::pg_catalog.regclass, oid, 'tablespace', spcname FROM pg_catalog.pg_tablespace
)
SELECT 'pg_database' AS place, oid::text AS key, pg_catalog.format('the database `%s`', datname) AS label,
  pg_catalog.jsonb_build_object('datname', datname, 'datdba', datdba, 'datacl', datacl, 'datconnlimit', datconnlimit,
    'datallowconn', datallowconn, 'datistemplate', datistemplate)::text AS content
FROM pg_catalog.pg_database WHERE oid NOT IN (SELECT oid FROM ours)
UNION ALL SELECT 'pg_replication_slots', slot_name, pg_catalog.format('the replication slot `%s`', slot_name), '{}'
FROM pg_catalog.pg_replication_slots WHERE NOT temporary
UNION ALL SELECT 'pg_replication_origin', roident::text, pg_catalog.format('the replication origin `%s`', roname),
  pg_catalog.to_jsonb(o)::text
FROM pg_catalog.pg_replication_origin o
UNION ALL SELECT 'pg_tablespace', oid::text, pg_catalog.format('the tablespace `%s`', spcname),
  pg_catalog.to_jsonb(t)::text
FROM pg_catalog.pg_tablespace t
UNION ALL SELECT 'pg_authid', oid::text, pg_catalog.format('the role `%s`', rolname), pg_catalog.to_jsonb(a)::text
FROM pg_catalog.pg_authid a WHERE oid NOT IN (SELECT oid FROM ours)
UNION ALL SELECT 'pg_auth_members', pg_catalog.concat_ws(' ', roleid, member, grantor),
  pg_catalog.format('the membership of `%s` in `%s`', pg_catalog.pg_get_userbyid(member),
    pg_catalog.pg_get_userbyid(roleid)),
  pg_catalog.to_jsonb(m)::text
FROM pg_catalog.pg_auth_members m WHERE roleid NOT IN (SELECT oid FROM ours) AND member NOT IN (SELECT oid FROM ours)
UNION ALL SELECT 'pg_db_role_setting', pg_catalog.concat_ws(' ', setdatabase, setrole),
  'settings' || CASE WHEN setrole <> 0 THEN pg_catalog.format(' of the role `%s`', pg_catalog.pg_get_userbyid(setrole))
    ELSE '' END || CASE WHEN setdatabase <> 0 THEN pg_catalog.format(' of the database `%s`', o.name) ELSE '' END,
  pg_catalog.to_jsonb(s)::text
FROM pg_catalog.pg_db_role_setting s
  LEFT JOIN objects o ON o.oid = setdatabase AND o.class = 'pg_database'::pg_catalog.regclass
WHERE setdatabase NOT IN (SELECT oid FROM ours) AND setrole NOT IN (SELECT oid FROM ours)
UNION ALL SELECT 'pg_shdescription', pg_catalog.concat_ws(' ', classoid, objoid),
  pg_catalog.concat_ws(' ', 'the comment on', coalesce(kind, 'something'), '`' || name || '`'), pg_catalog.to_jsonb(d)::text
FROM pg_catalog.pg_shdescription d LEFT JOIN objects ON oid = objoid AND class = classoid
WHERE objoid NOT IN (SELECT oid FROM ours)
UNION ALL SELECT 'pg_shseclabel', pg_catalog.concat_ws(' ', classoid, objoid, provider),
  pg_catalog.concat_ws(' ', 'the label of', coalesce(kind, 'something'), '`' || name || '`'), pg_catalog.to_jsonb(l)::text
FROM pg_catalog.pg_shseclabel l LEFT JOIN objects ON oid = objoid AND class = classoid
WHERE objoid NOT IN (SELECT oid FROM ours)
UNION ALL SELECT 'pg_file_settings', name, pg_catalog.format('the setting `%s` of the server', name),
  '=' || coalesce(setting, '')
FROM pg_catalog.pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'
