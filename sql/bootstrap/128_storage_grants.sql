-- Row security is what keeps a caller to the objects that a project's policies give him; without a policy that is
-- none of them.

set local role supabase_storage_admin;

grant all on storage.buckets, storage.objects to postgres with grant option;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;

grant all on storage.buckets_analytics, storage.buckets_vectors, storage.vector_indexes
  to postgres, anon, authenticated, service_role;

revoke all on storage.iceberg_namespaces, storage.iceberg_tables, storage.s3_multipart_uploads,
  storage.s3_multipart_uploads_parts from anon, authenticated;
grant select on storage.iceberg_namespaces, storage.iceberg_tables, storage.s3_multipart_uploads,
  storage.s3_multipart_uploads_parts to anon, authenticated;
grant all on storage.iceberg_namespaces, storage.iceberg_tables, storage.s3_multipart_uploads,
  storage.s3_multipart_uploads_parts to postgres, service_role;

revoke all on storage.migrations from postgres, anon, authenticated, service_role;

grant all on all functions in schema storage to postgres, anon, authenticated, service_role;

reset role;
