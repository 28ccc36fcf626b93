# What Consul's own agent may do: keep its node in the catalogue, to which sessions are tied.
node_prefix "" { policy = "write" }
service_prefix "" { policy = "read" }
