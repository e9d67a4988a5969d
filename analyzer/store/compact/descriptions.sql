SELECT * FROM store.descriptions
QUALIFY row_number() OVER (PARTITION BY group_id ORDER BY described_at DESC) = 1
