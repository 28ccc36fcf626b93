# What a swarm-listener may do, for PROXY_INSTANCE_NAME=swarmgate and SWARM_NAME=swarm (apply-acl.mjs puts others in).
# It reads what stands there, writes its own owner's documents, and holds its own lock.
key_prefix "swarmgate/" { policy = "read" }
key_prefix "swarmgate/certs/" { policy = "deny" }
key_prefix "swarmgate/acme/" { policy = "deny" }

key "swarmgate/head" { policy = "write" }
key_prefix "swarmgate/services/swarm/" { policy = "write" }
key_prefix "swarmgate/endpoints/swarm/" { policy = "write" }
key_prefix "swarmgate/problems/labels/swarm/" { policy = "write" }
key_prefix "swarmgate/history/swarm/" { policy = "write" }
key "swarmgate/leader/swarm" { policy = "write" }
key "swarmgate/leader-heartbeat/swarm" { policy = "write" }

# Sessions belong to the node whose agent made them.
session_prefix "" { policy = "write" }
