"""Settings of an image that an engine must not be given, and some that it may."""

from tests.archive.corpus.forms import Configured
from tests.archive.corpus.making import Case, configured, good

CONFIGURATION: dict[str, Case] = {
    "a volume": Case("configuration", configured(Volumes={"/data": {}})),
    "no volumes, said so": good(Configured(runs={"Volumes": None})),
    "a volume in another case": Case("configuration", configured(volumes={"/data": {}})),
    "something to do on build": Case("configuration", configured(OnBuild=["RUN true"])),
    "a user by name": Case("configuration", configured(User="nobody")),
    "root by name": Case("configuration", configured(User="root")),
    "root by number": Case("configuration", configured(User="0:0")),
    "a user by number": good(Configured(runs={"User": "65532:65532"})),
    "a user by a number with signs": Case("configuration", configured(User="+0")),
    "a user who is root in 32 bits": Case("configuration", configured(User="4294967296")),
    "a group by name": Case("configuration", configured(User="65532:docker")),
    "a probe": good(Configured(runs={"Healthcheck": {"Test": ["CMD", "true"]}})),
    "a stop signal": good(Configured(runs={"StopSignal": "SIGTERM"})),
    "a stop signal that is none": Case("configuration", configured(StopSignal="SIGNOTHING")),
    "a port that is none": Case("configuration", configured(ExposedPorts={"99999999/tcp": {}})),
    "an environment without a value": Case("configuration", configured(Env=["PATH"])),
    "an environment with a zero in it": Case("configuration", configured(Env=["A=b\0c"])),
    "a library that is loaded first": Case("configuration", configured(Env=["LD_PRELOAD=/app/config/x.so"])),
    "a folder to work in that goes up": Case("configuration", configured(WorkingDir="/app/../../x")),
    "a command that is a text": Case("description", configured(Entrypoint="sh")),
    "a key that no engine has": good(Configured(runs={"Unknown": 1})),
}
