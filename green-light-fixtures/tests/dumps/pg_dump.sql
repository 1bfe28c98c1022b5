--
-- PostgreSQL database dump
--

\restrict ZrOMqPZhKeukUzrHVON4SqxYk90UYjdGIZqBhI0nWReyf5PKklht5gECPjK7vM2

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: mood; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.mood AS ENUM (
    'sad',
    'it''s; fine'
);


ALTER TYPE public.mood OWNER TO postgres;

--
-- Name: price; Type: DOMAIN; Schema: public; Owner: postgres
--

CREATE DOMAIN public.price AS numeric(10,2)
	CONSTRAINT price_check CHECK ((VALUE >= (0)::numeric));


ALTER DOMAIN public.price OWNER TO postgres;

--
-- Name: note(); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.note() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
BEGIN
  -- a comment; with $$ in it
  IF NEW.title = 'x;y' THEN INSERT INTO log (what) VALUES ($$it's; noted$$); END IF;
  INSERT INTO log (what) VALUES ('new; ' || NEW.title);
  RETURN NEW;
END;
$_$;


ALTER FUNCTION public.note() OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: log; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.log (
    id integer NOT NULL,
    what text,
    at timestamp with time zone DEFAULT now()
);


ALTER TABLE public.log OWNER TO postgres;

--
-- Name: sale; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.sale (
    day date NOT NULL,
    book bigint
)
PARTITION BY RANGE (day);


ALTER TABLE public.sale OWNER TO postgres;

--
-- Name: sweep(); Type: PROCEDURE; Schema: public; Owner: postgres
--

CREATE PROCEDURE public.sweep()
    LANGUAGE sql
    BEGIN ATOMIC
 DELETE FROM public.log;
 DELETE FROM public.sale;
END;


ALTER PROCEDURE public.sweep() OWNER TO postgres;

--
-- Name: twice(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.twice(x integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT 1;
 SELECT
         CASE
             WHEN (x > 0) THEN (x * 2)
             ELSE 0
         END AS "case";
END;


ALTER FUNCTION public.twice(x integer) OWNER TO postgres;

--
-- Name: author; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.author (
    id bigint NOT NULL,
    name text DEFAULT 'a;b'::text NOT NULL,
    feeling public.mood,
    shout text GENERATED ALWAYS AS (upper(name)) STORED
);


ALTER TABLE public.author OWNER TO postgres;

--
-- Name: TABLE author; Type: COMMENT; Schema: public; Owner: postgres
--

COMMENT ON TABLE public.author IS 'who writes; and "why"';


--
-- Name: author_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.author ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.author_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: authors; Type: MATERIALIZED VIEW; Schema: public; Owner: postgres
--

CREATE MATERIALIZED VIEW public.authors AS
 SELECT count(*) AS n
   FROM public.author
  WITH NO DATA;


ALTER TABLE public.authors OWNER TO postgres;

--
-- Name: book; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.book (
    id bigint NOT NULL,
    author bigint,
    title text,
    cost public.price,
    tags text[] DEFAULT '{;}'::text[]
);


ALTER TABLE public.book OWNER TO postgres;

--
-- Name: book_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.book_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.book_id_seq OWNER TO postgres;

--
-- Name: book_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.book_id_seq OWNED BY public.book.id;


--
-- Name: cheap; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.cheap AS
 SELECT book.title,
        CASE
            WHEN ((book.cost)::numeric < (5)::numeric) THEN 'yes;'::text
            ELSE 'no'::text
        END AS cheap
   FROM public.book;


ALTER TABLE public.cheap OWNER TO postgres;

--
-- Name: log_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.log_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.log_id_seq OWNER TO postgres;

--
-- Name: log_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.log_id_seq OWNED BY public.log.id;


--
-- Name: sale_2026; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.sale_2026 (
    day date NOT NULL,
    book bigint
);


ALTER TABLE public.sale_2026 OWNER TO postgres;

--
-- Name: sale_2026; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.sale ATTACH PARTITION public.sale_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');


--
-- Name: book id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.book ALTER COLUMN id SET DEFAULT nextval('public.book_id_seq'::regclass);


--
-- Name: log id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.log ALTER COLUMN id SET DEFAULT nextval('public.log_id_seq'::regclass);


--
-- Data for Name: author; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.author OVERRIDING SYSTEM VALUE VALUES (1, 'ann', NULL, DEFAULT);
INSERT INTO public.author OVERRIDING SYSTEM VALUE VALUES (2, 'o''neil; \ "q"
second -- line', NULL, DEFAULT);
INSERT INTO public.author OVERRIDING SYSTEM VALUE VALUES (3, 'ü/*', NULL, DEFAULT);


--
-- Data for Name: book; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.book VALUES (1, 1, 'x;y', 3.00, '{;}');
INSERT INTO public.book VALUES (2, 2, 'back\slash', 9.00, '{;}');


--
-- Data for Name: log; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.log VALUES (1, 'it''s; noted', '2026-11-24 18:58:05.178021+00');
INSERT INTO public.log VALUES (2, 'new; x;y', '2026-11-24 18:58:05.178021+00');
INSERT INTO public.log VALUES (3, 'new; back\slash', '2026-11-24 18:58:05.178021+00');


--
-- Data for Name: sale_2026; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.sale_2026 VALUES ('2026-02-03', 1);


--
-- Name: author_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.author_id_seq', 3, true);


--
-- Name: book_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.book_id_seq', 2, true);


--
-- Name: log_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.log_id_seq', 3, true);


--
-- Name: author author_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.author
    ADD CONSTRAINT author_pkey PRIMARY KEY (id);


--
-- Name: book book_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.book
    ADD CONSTRAINT book_pkey PRIMARY KEY (id);


--
-- Name: by_title; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX by_title ON public.book USING btree (lower(title)) WHERE (title <> ';'::text);


--
-- Name: sale two; Type: RULE; Schema: public; Owner: postgres
--

CREATE RULE two AS
    ON DELETE TO public.sale DO ( INSERT INTO public.log (what)
  VALUES ('gone; one'::text);
 INSERT INTO public.log (what)
  VALUES ('gone; two'::text);
);


--
-- Name: book note; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER note AFTER INSERT ON public.book FOR EACH ROW WHEN ((new.title IS NOT NULL)) EXECUTE FUNCTION public.note();


--
-- Name: book book_author_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.book
    ADD CONSTRAINT book_author_fkey FOREIGN KEY (author) REFERENCES public.author(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: authors; Type: MATERIALIZED VIEW DATA; Schema: public; Owner: postgres
--

REFRESH MATERIALIZED VIEW public.authors;


--
-- PostgreSQL database dump complete
--

\unrestrict ZrOMqPZhKeukUzrHVON4SqxYk90UYjdGIZqBhI0nWReyf5PKklht5gECPjK7vM2

