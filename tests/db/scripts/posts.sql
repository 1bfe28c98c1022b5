INSERT INTO posts (id, author, title) VALUES (10, 1, 'hello');
