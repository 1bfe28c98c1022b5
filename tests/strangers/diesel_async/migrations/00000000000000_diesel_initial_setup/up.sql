CREATE FUNCTION shout(word text) RETURNS text AS $$
BEGIN
    RETURN upper(word) || '!';
END;
$$ LANGUAGE plpgsql;
