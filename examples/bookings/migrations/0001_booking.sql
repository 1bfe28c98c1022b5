CREATE TABLE room (
    number INT PRIMARY KEY
);

CREATE TABLE booking (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    room INT NOT NULL,
    night VARCHAR(10) NOT NULL,
    guest VARCHAR(100) NOT NULL,
    UNIQUE (room, night),
    FOREIGN KEY (room) REFERENCES room (number)
);

INSERT INTO room VALUES (101), (102), (103);
