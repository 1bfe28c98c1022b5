CREATE INDEX book_by_title ON book (title);
