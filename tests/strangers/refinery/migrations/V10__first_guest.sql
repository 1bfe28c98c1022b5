INSERT INTO guest (name, town, visits) VALUES ('Ann', 'Ghent', 1);
