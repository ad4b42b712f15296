-- SPDX-License-Identifier: MIT
-- wrk: create one row a request.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"title":"Write the report","done":false,"priority":3}'
