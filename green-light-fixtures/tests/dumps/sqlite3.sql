PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE author (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL DEFAULT 'a;b', "end" TEXT, photo BLOB);
INSERT INTO author VALUES(1,'ann','x;',X'00ff27');
INSERT INTO author VALUES(2,replace('o''neil; \ "q"\nsecond -- line','\n',char(10)),'x;',NULL);
CREATE TABLE book (id INTEGER PRIMARY KEY, author INTEGER REFERENCES author, title TEXT CHECK (title <> ';'));
INSERT INTO book VALUES(1,1,'x;y');
INSERT INTO book VALUES(2,2,'back\slash');
CREATE TABLE log (what TEXT);
INSERT INTO log VALUES('new; x;y');
INSERT INTO log VALUES('new; back\slash');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('author',2);
CREATE TRIGGER note AFTER INSERT ON book WHEN CASE new.id WHEN 0 THEN 0 ELSE 1 END BEGIN
  -- a comment; end;
  INSERT INTO log VALUES ('new; ' || new.title);
  UPDATE author SET end = CASE WHEN id = new.author THEN 'x;' ELSE author.end END;
END
;
CREATE VIEW cheap AS SELECT title, CASE WHEN id < 5 THEN 'yes;' END AS cheap FROM book;
CREATE INDEX by_title ON book (lower(title)) WHERE title <> ';';
COMMIT;
