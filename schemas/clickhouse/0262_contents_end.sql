-- Its place is taken by content_hashes.
DROP TABLE IF EXISTS contents;
