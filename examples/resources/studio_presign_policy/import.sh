terraform import studio_presign_policy.example arn:aws:iam::123456789012:policy/analytics-presign
