#!/bin/sh
# Opens a tunnel from this machine's loopback to Consul on the overlay network, until Ctrl-C:
#   docker/consul-ui.sh [port]      then http://127.0.0.1:8500/ui/
# Run it on a node, or with DOCKER_HOST=ssh://manager1 and `ssh -L 8500:127.0.0.1:8500 manager1` beside it.
set -eu
port=${1:-8500}
network=${SWARMGATE_NETWORK:-swarmgate}
image=${SWARMGATE_IMAGES:-swarmgate}/proxy:${SWARMGATE_TAG:-local}
echo "Consul's UI: http://127.0.0.1:$port/ui/"
exec docker run --rm --init --read-only --cap-drop ALL --name "${TUNNEL_NAME:-swarmgate-consul-ui}" \
  --network "$network" --publish "127.0.0.1:$port:8500" --no-healthcheck --entrypoint node "$image" -e '
const { connect, createServer } = require("node:net");
createServer((client) => {
  const consul = connect(8500, "consul");
  for (const [from, to] of [[client, consul], [consul, client]]) from.pipe(to).on("error", () => from.destroy());
}).listen(8500);
'
