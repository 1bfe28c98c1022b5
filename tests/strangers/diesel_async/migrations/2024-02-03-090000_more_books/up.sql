INSERT INTO book (title) VALUES (shout('first'));
