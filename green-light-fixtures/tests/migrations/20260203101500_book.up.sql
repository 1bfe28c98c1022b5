-- Several statements; one of them with a semicolon of its own.
CREATE TABLE book (
    id INT PRIMARY KEY,
    author INT NOT NULL,
    title VARCHAR(40) NOT NULL,
    FOREIGN KEY (author) REFERENCES author (id)
);
INSERT INTO author (id, name) VALUES (1, 'ann');
INSERT INTO book (id, author, title) VALUES (1, 1, 'semi;colon');
