-- The texts of all deliveries are on the stream; see contents.
DROP TABLE IF EXISTS deliveries;
