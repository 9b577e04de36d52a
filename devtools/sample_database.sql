-- The tables of grype's vulnerability database, schema 6.1.10 (grype/db/v6/models.go). `grype db import` adds the indexes.
CREATE TABLE blobs (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE db_metadata (build_timestamp DATETIME NOT NULL, model INTEGER NOT NULL, revision INTEGER NOT NULL, addition INTEGER NOT NULL);
CREATE TABLE providers (id TEXT PRIMARY KEY, version TEXT, processor TEXT, date_captured DATETIME, input_digest TEXT);

CREATE TABLE vulnerability_handles (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, published_date DATETIME, modified_date DATETIME,
    withdrawn_date DATETIME, provider_id TEXT NOT NULL, blob_id INTEGER);
CREATE TABLE vulnerability_aliases (name TEXT, alias TEXT NOT NULL, PRIMARY KEY (name, alias));

CREATE TABLE packages (id INTEGER PRIMARY KEY, ecosystem TEXT, name TEXT);
CREATE TABLE affected_package_handles (
    id INTEGER PRIMARY KEY, vulnerability_id INTEGER NOT NULL, operating_system_id INTEGER, package_id INTEGER, blob_id INTEGER);
CREATE TABLE unaffected_package_handles (
    id INTEGER PRIMARY KEY, vulnerability_id INTEGER NOT NULL, operating_system_id INTEGER, package_id INTEGER, blob_id INTEGER);
CREATE TABLE operating_systems (
    id INTEGER PRIMARY KEY, name TEXT, release_id TEXT, major_version TEXT, minor_version TEXT, label_version TEXT,
    codename TEXT, channel TEXT, eol_date DATETIME, eoas_date DATETIME);
CREATE TABLE operating_system_specifier_overrides (
    alias TEXT, version TEXT, version_pattern TEXT, codename TEXT, channel TEXT, replacement TEXT,
    replacement_major_version TEXT, replacement_minor_version TEXT, replacement_label_version TEXT, replacement_channel TEXT,
    rolling NUMERIC, applicable_client_db_schemas TEXT,
    PRIMARY KEY (alias, version, version_pattern, replacement, replacement_major_version, replacement_minor_version,
                 replacement_label_version, replacement_channel, rolling));
CREATE TABLE package_specifier_overrides (
    ecosystem TEXT, replacement_ecosystem TEXT, PRIMARY KEY (ecosystem, replacement_ecosystem));
CREATE TABLE architecture_aliases (alias TEXT PRIMARY KEY, canonical TEXT NOT NULL);

CREATE TABLE cpes (
    id INTEGER PRIMARY KEY, part TEXT NOT NULL, vendor TEXT, product TEXT NOT NULL, edition TEXT, language TEXT,
    software_edition TEXT, target_hardware TEXT, target_software TEXT, other TEXT);
CREATE TABLE package_cpes (package_id INTEGER, cpe_id INTEGER, PRIMARY KEY (package_id, cpe_id));
CREATE TABLE affected_cpe_handles (id INTEGER PRIMARY KEY, vulnerability_id INTEGER NOT NULL, cpe_id INTEGER, blob_id INTEGER);
CREATE TABLE unaffected_cpe_handles (id INTEGER PRIMARY KEY, vulnerability_id INTEGER NOT NULL, cpe_id INTEGER, blob_id INTEGER);

CREATE TABLE known_exploited_vulnerability_handles (id INTEGER PRIMARY KEY, cve TEXT NOT NULL, blob_id INTEGER);
CREATE TABLE epss_handles (id INTEGER PRIMARY KEY, cve TEXT NOT NULL, epss REAL NOT NULL, percentile REAL NOT NULL);
CREATE TABLE epss_metadata (date DATETIME NOT NULL);
CREATE TABLE cwe_handles (id INTEGER PRIMARY KEY, cve TEXT NOT NULL, cwe TEXT NOT NULL, source TEXT, type TEXT);
CREATE TABLE ssvc_handles (
    id INTEGER PRIMARY KEY, cve TEXT NOT NULL, source TEXT, role TEXT, version TEXT, timestamp DATETIME, exploitation TEXT,
    automatable TEXT, technical_impact TEXT);
