-- Load this file in kresd.conf, before other policies: dofile('<path of this file>')
-- Restart kresd, then empty its cache, which outlives a restart: cache.clear() at the control socket.

-- The zones, and the servers in the VPC.
local zones = {
    'studio.us-east-1.sagemaker.aws',
    'studio.sagemaker.us-east-1.app.aws',
}
local servers = {
    '10.0.1.10',
    '10.0.2.10',
    '2001:db8::10',
}

-- The private answers bear no signatures: do not validate below these zones. Keep what is exempt already.
local insecure = {}
for _, list in ipairs({ trust_anchors.insecure, zones }) do
    for _, name in ipairs(list) do
        table.insert(insecure, name)
    end
end
trust_anchors.set_insecure(insecure)

-- The answers are private addresses: do not filter them out (module rebinding).
local suffixes = policy.todnames(zones)
policy.add(policy.suffix(policy.FLAGS({ 'ALLOW_LOCAL' }), suffixes))

-- Forward to the VPC only: when it does not answer, the query fails.
policy.add(policy.suffix(policy.FORWARD(servers), suffixes))
