# What a proxy may do, for PROXY_INSTANCE_NAME=swarmgate (apply-acl.mjs puts another in).
# It keeps the instance's own keys (presence, reporter, problems of routes, certificates) and writes what people publish
# through its REST (owner manual). What a Swarm publishes it only reads.
key_prefix "swarmgate/" { policy = "write" }

key_prefix "swarmgate/services/" { policy = "read" }
key_prefix "swarmgate/endpoints/" { policy = "read" }
key_prefix "swarmgate/history/" { policy = "read" }
key_prefix "swarmgate/problems/labels/" { policy = "read" }
key_prefix "swarmgate/leader/" { policy = "read" }
key_prefix "swarmgate/leader-heartbeat/" { policy = "read" }

key_prefix "swarmgate/services/manual/" { policy = "write" }
key_prefix "swarmgate/endpoints/manual/" { policy = "write" }
key_prefix "swarmgate/history/manual/" { policy = "write" }
key_prefix "swarmgate/problems/labels/manual/" { policy = "write" }

# Sessions belong to the node whose agent made them.
session_prefix "" { policy = "write" }
