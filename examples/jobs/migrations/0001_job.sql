CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    run_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'dead')),
    error text
);

CREATE INDEX job_waiting ON job (run_at, id) WHERE state = 'waiting';

CREATE FUNCTION announce_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('job', NEW.kind);
    RETURN NULL;
END $$;

CREATE TRIGGER announce_job AFTER INSERT ON job FOR EACH ROW EXECUTE FUNCTION announce_job();
