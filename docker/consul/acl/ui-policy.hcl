# What Consul's UI may do through a proxy's CONSUL_UI_PORT without a token of the person, for PROXY_INSTANCE_NAME=swarmgate
# (apply-acl.mjs puts another in). It reads the instance's keys but certificates and accounts, and writes what people publish
# (owner manual).
key_prefix "swarmgate/" { policy = "read" }
key_prefix "swarmgate/certs/" { policy = "deny" }
key_prefix "swarmgate/acme/" { policy = "deny" }

key_prefix "swarmgate/services/manual/" { policy = "write" }
