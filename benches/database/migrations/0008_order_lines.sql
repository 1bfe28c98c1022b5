CREATE TABLE order_line (order_id INTEGER NOT NULL REFERENCES orders (id), book_id INTEGER NOT NULL REFERENCES book (id), copies INTEGER NOT NULL, PRIMARY KEY (order_id, book_id));
