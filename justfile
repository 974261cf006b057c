functions := "-p receiver -p management -p dispatcher -p sweeper"

# Lists the recipes.
default:
    @just --list

# Everything that must pass before a change lands.
[group('check')]
check: fmt clippy test

# Fails when a file is not formatted.
[group('check')]
fmt:
    cargo fmt --all --check

# Lints every target; a warning is an error.
[group('check')]
clippy:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Runs the tests, or those whose names contain the arguments: `just test retried`.
[group('check')]
test *filter:
    cargo test --workspace --locked {{ filter }}

# Licences, bans and sources of everything that is linked.
[group('check')]
deny:
    cargo deny check licenses bans sources

# The spelling of code and prose.
[group('check')]
spelling:
    typos

# The templates, by the rules of SAM and CloudFormation.
[group('check')]
template:
    sam validate --lint
    cfn-lint infra/alarms.yaml

# Runs the whole gateway in one process: `just dev --data ./data`.
[group('local')]
dev *args:
    cargo run --release --locked -p hookport-cli -- dev {{ args }}

# Writes the OpenAPI document anew.
[group('generate')]
openapi:
    cargo run --quiet --locked -p hookport-cli -- openapi > docs/openapi.json

# Accepts every changed snapshot. Look at the diff before you commit it.
[group('generate')]
snapshots:
    INSTA_UPDATE=always cargo test --workspace --locked

# Builds the four functions as they are deployed, for this machine's processor.
[group('deploy')]
lambda:
    cargo build --profile lambda --locked {{ functions }}

# `sam build` knows only the release profile, so the variables make that one say what the profile `lambda` says.

# Builds and deploys: `just deploy staging`. The names stand in samconfig.toml.
[group('deploy')]
deploy env:
    CARGO_PROFILE_RELEASE_OPT_LEVEL=z \
    CARGO_PROFILE_RELEASE_LTO=fat \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
    CARGO_PROFILE_RELEASE_STRIP=true \
    sam build --config-env {{ env }}
    sam deploy --config-env {{ env }}
