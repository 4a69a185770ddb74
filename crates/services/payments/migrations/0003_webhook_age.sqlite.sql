-- What was acted upon is thrown away by age.
CREATE INDEX webhooks_age ON webhooks (received_at) WHERE processed_at IS NOT NULL;
