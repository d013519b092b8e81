-- Who may do what on a ClickHouse server of one's own, for a database "milepost". Run as an administrator, with passwords
-- and networks of your own. docs/clickhouse-access.md explains it.

CREATE DATABASE IF NOT EXISTS milepost;

-- Milepost itself: --clickhouse http://milepost:…@host:8123/milepost. It makes, migrates and exchanges its own tables.
CREATE USER IF NOT EXISTS milepost IDENTIFIED WITH sha256_password BY 'choose a long one' HOST IP '10.0.0.0/8';
GRANT ALL ON milepost.* TO milepost;
GRANT SELECT ON system.columns TO milepost;

-- Analysts: read, bounded, and nothing else. readonly = 2 lets clients send settings of their own (drivers do), and the
-- bounds hold for what they send; without grants of sources there is no file(), url() or other way out.
CREATE SETTINGS PROFILE IF NOT EXISTS milepost_analyst SETTINGS
    readonly = 2 CONST,
    max_memory_usage = 1073741824 MAX 1073741824,
    max_execution_time = 30 MAX 30,
    max_result_rows = 1000000 MAX 1000000,
    max_result_bytes = 268435456 MAX 268435456,
    max_rows_to_read = 200000000 MAX 200000000,
    max_bytes_to_read = 17179869184 MAX 17179869184,
    max_threads = 2 MAX 2,
    allow_ddl = 0 CONST,
    allow_introspection_functions = 0 CONST;
CREATE QUOTA IF NOT EXISTS milepost_analyst KEYED BY user_name FOR INTERVAL 1 HOUR MAX queries = 5000, execution_time = 3600;
CREATE ROLE IF NOT EXISTS milepost_analyst;
GRANT SELECT ON milepost.* TO milepost_analyst;
-- The view data_dictionary stands on it.
GRANT SELECT ON system.columns TO milepost_analyst;
CREATE USER IF NOT EXISTS analyst IDENTIFIED WITH sha256_password BY 'choose another one' HOST IP '10.0.0.0/8'
    DEFAULT ROLE milepost_analyst DEFAULT DATABASE milepost SETTINGS PROFILE 'milepost_analyst';
GRANT milepost_analyst TO analyst;
ALTER QUOTA milepost_analyst TO milepost_analyst;
