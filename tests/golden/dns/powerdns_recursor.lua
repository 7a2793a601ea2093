-- Make this the recursor's lua-config-file, or add it to the one there is (Debian: /etc/powerdns/recursor.lua).
-- Then restart the recursor.

-- The private answers bear no signatures: do not validate below these zones.
addNTA("studio.us-east-1.sagemaker.aws", "forwarded to the VPC")
addNTA("studio.sagemaker.us-east-1.app.aws", "forwarded to the VPC")
