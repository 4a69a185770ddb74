-- Rows lie well here already; the number is kept for both engines.
SELECT 1;
