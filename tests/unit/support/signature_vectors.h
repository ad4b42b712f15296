/* SPDX-License-Identifier: MIT */
/*
 * Throw-away keys, and signatures of SIGNED_TEXT by them in hexadecimal, made with the crypto module of Node.js.
 * ES signatures are R || S.
 */
#ifndef SIGNATURE_VECTORS_H
#define SIGNATURE_VECTORS_H

/* clang-format off */
#define SIGNED_TEXT "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9"

#define RSA_2048_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCm0Hbh5CcZMXRA\n" \
    "UrhqorYdmm1nIG1FiaziiXLzGu7r6hBlU3Erl2EDbNhe25PWX16Yv4l86wIH9xns\n" \
    "o+9SxP+3DV0tdVaqjd/Wiah1f3iOJjDw+4TCMa0IJZHPFJmH1J1NvN4vheB/lY36\n" \
    "n3Et/zsyoDBBlIa8DbanwpQchPH9xngbT0N4oIAaWIhXsLCljO/ibe5jWbR5KeBf\n" \
    "ZZO9y6ev+O8WkLsErAtjKPKU7QGX4mlwJsn730AXQw/OV0yJ2wwEFqtxePEBeYW6\n" \
    "+sw5Rn3PuP0f0gDtHKDqFk20ceYn1cerSCjNKxXIBzV9XDKaYEMjun+w+/mml7Ch\n" \
    "+XbtxOpFAgMBAAECggEAAVSQK79PGYOvTRqe+mJUTsc6820+ID8XroUEMlCgn0FS\n" \
    "KQ2BwLEX6etUP9A2YFzWPnEbZonh2p1O0V6OuGU2TEGSYLWuGU7OCwiB6N5f04Bi\n" \
    "xQhrqvgy8um7ygAJaAL0nMu/P0R5zk94Xtgmxd3I3Tk+UUbFZ7QGfoi0d8eOpErn\n" \
    "PgeIsvJk7L2O1lda2Ll9X8VEXcpXwaFPAK6Ga4FawFQXOa0BmE85pHJFvI4piY47\n" \
    "MTfADv0KyXAZ6TaQWF5Bf0Mxm/CRBxE57ZVbCNn91HqFVncLddtKlAukFNaGSWhA\n" \
    "8VqHAEe6ogvDCQPZabf7iCgMQQ499erniwKeI4ux+QKBgQDilhLYi63ZeZ4BC+B8\n" \
    "4/tzhKuaqqPXztTTou3k5oxyKG2Pw9/gwnNQ6vWygUrtfKzVRZKLcSl5K+JdiK/R\n" \
    "Z9fEhYw3H6xlLtVUiK+eNwpaVH29hjc+uybNIDTrgSpdZ18UnZYiapnDjsfWIyQc\n" \
    "NPIEKBlwrf7CQdjmSjsXO6pFnQKBgQC8eAwVdn2AeqE3VbYZ53ZAwEn8mtoVymhV\n" \
    "D8VXfhbYbLToEf7rGbqTl6nRSs+cMRH+ua5jKSnsZlnKY2XqZwCT66BWntu4y6Ka\n" \
    "QZu4bQzOr2VdPZPW/Kr90iYXS0C2tH4SMiClhWcqnDEnFZql+cWznMl8xteXRPk+\n" \
    "hNNWlCKqyQKBgQCU3wtk0WkY8Qn6IAaPp+7G+E0TYrghi5hTsMHi2gM+4gcSJRzL\n" \
    "/JZtfOKPNNm47WhU+9AL4/7eyRGCaNMzn6mpSiFU+m93T20EjIXuSrV3ofm3cx6L\n" \
    "DcWxkk6SyRu/oLJcxiklVarPTNlJfW81RSgZyQrl+LvggAj1TaJDYoU+FQKBgAOk\n" \
    "wn8LumNoe4NpWcroaaXY0dVbXQn8zsWON394hZKLj3fJGUeMSMofrX3JV3gqjrGA\n" \
    "/3kVS6UxWV0LTOYaNa2maYQjMBZDgZI/4HXRTeUVCP2jeh825Utg67GZl9ewZ5uM\n" \
    "cosgqBzvxhd+WG4LBSJyzoZmBbb782GdCcTrujvZAoGAPxkted6lktXn0rP7MwHA\n" \
    "z6ICYm8PKf3Ts4ZioJNPTWBQxxcOyDD1qg8NwRvJZPUcDw30Gfo4mJNsR+jQdgDd\n" \
    "q/UJeSw1S9HTGcq3UvV2K+GMcFG7n7aBpT2KUsdkZ3PB9sROXmn+Dq6TRolgQmc8\n" \
    "tasSgpIwBUHgh2W+JnIG/8w=\n" \
    "-----END PRIVATE KEY-----\n"

#define RSA_2048_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAptB24eQnGTF0QFK4aqK2\n" \
    "HZptZyBtRYms4oly8xru6+oQZVNxK5dhA2zYXtuT1l9emL+JfOsCB/cZ7KPvUsT/\n" \
    "tw1dLXVWqo3f1omodX94jiYw8PuEwjGtCCWRzxSZh9SdTbzeL4Xgf5WN+p9xLf87\n" \
    "MqAwQZSGvA22p8KUHITx/cZ4G09DeKCAGliIV7CwpYzv4m3uY1m0eSngX2WTvcun\n" \
    "r/jvFpC7BKwLYyjylO0Bl+JpcCbJ+99AF0MPzldMidsMBBarcXjxAXmFuvrMOUZ9\n" \
    "z7j9H9IA7Ryg6hZNtHHmJ9XHq0gozSsVyAc1fVwymmBDI7p/sPv5ppewofl27cTq\n" \
    "RQIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_1024_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wggJbAgEAAoGBALmFYNKLNR3TbIAv\n" \
    "ptkYg1WU+Jx8IVEEYwGdbn8c+7YZbzb9Op5rkPwWvnlGxyVTeoJiD0RZ4ixgUbIX\n" \
    "dbY4EYHeVlFXnQJcTSDwq5ddW0c2Ca6XA5KI2sw9jAiwMrB4UgSqiaLRHG7ss2F6\n" \
    "RHkOY/aeOwmaCLGo+r5Pu9qiu7VvAgMBAAECgYEAiVUk4XbPcS7LSPD9cAPnZPkM\n" \
    "OLri5th6ef2SiGJqKtkVLP2z4QX7o8Eqaxhr30O2ksIITy7CcNs0XsNjDerfeaLt\n" \
    "wIfo3B0M68HGZTqrqXpmVK/fIKq19AnKDzvd7HqUlmllM54EbP0NWPcKP8b4M8CU\n" \
    "OMi5+d+mwkwu0tVf++ECQQDdbQvauxR82EGHLgzCQfWA/PzWSDfubM38s7OaHrJa\n" \
    "w1Q1KuUoFlSW6OV2oc5CdNi657ZQmJ1QX9e4Dv45J8uXAkEA1n0e1OHS0weIVztV\n" \
    "QxZXnfAmyrS+luQS9f992EfEXPqt+nxBC/w4JuY4JvO8bONQX1+PdXP94Rz+9LXY\n" \
    "6wj/6QJAN2LUaUUMbeIGGhMpu9mV2Ervz4XG/8uVhtVIYo+1G0DqqlXtdiaHyCu/\n" \
    "Yfo9RqBFqhLVprlV+EnRAsg1TQSoRwI/PSlwoUPD2mlLd5Rzu62jTmYsqaDguCZR\n" \
    "QdSZDhNo6xqQgdzsr348hNshJ/pYwLQRNyEIx3VL7+VUznMMZ/kpAkBDTxXj4Axy\n" \
    "Sof1tcMBiMoOtk6FsjloK+YUyq52ArBMY+X57nwLCLQ50JldSypSsWN/Xr0K8emp\n" \
    "ONxEuxDANQqB\n" \
    "-----END PRIVATE KEY-----\n"

#define RSA_1024_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5hWDSizUd02yAL6bZGINVlPic\n" \
    "fCFRBGMBnW5/HPu2GW82/Tqea5D8Fr55RsclU3qCYg9EWeIsYFGyF3W2OBGB3lZR\n" \
    "V50CXE0g8KuXXVtHNgmulwOSiNrMPYwIsDKweFIEqomi0Rxu7LNhekR5DmP2njsJ\n" \
    "mgixqPq+T7vaoru1bwIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define P_256_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPHVbFB7WgX0iiqT0\n" \
    "i+aTv+PKf97cXA4rMNlzO6iwtFmhRANCAASb+vUyi+bjTcl7u5CmguSEiR+zf/hD\n" \
    "5CNFevLcY1cEaNr6dQTkj3YTEcQo66NJFWEns2BDTEc0WfWxXxMJXivg\n" \
    "-----END PRIVATE KEY-----\n"

#define P_256_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEm/r1Movm403Je7uQpoLkhIkfs3/4\n" \
    "Q+QjRXry3GNXBGja+nUE5I92ExHEKOujSRVhJ7NgQ0xHNFn1sV8TCV4r4A==\n" \
    "-----END PUBLIC KEY-----\n"

#define P_384_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDVHnhEjPECcMokS8tg\n" \
    "QB/ljuvGMmpHGrPZkMqsyP1wskvc6MvkcEx5Lwby/tUDOFuhZANiAATLWbTj2gs8\n" \
    "sSr+fb8S2y33/c6GZyU5phvP4hqnJcwqavlVm4Bnns/ytmljyOxb6eC7jXBmcul7\n" \
    "tFIt68Q/UO0yJhE2G0SNbMAbAuZDEWvDm7VeIDG8fx0IxcuonEtLyDg=\n" \
    "-----END PRIVATE KEY-----\n"

#define P_384_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEy1m049oLPLEq/n2/Etst9/3OhmclOaYb\n" \
    "z+IapyXMKmr5VZuAZ57P8rZpY8jsW+ngu41wZnLpe7RSLevEP1DtMiYRNhtEjWzA\n" \
    "GwLmQxFrw5u1XiAxvH8dCMXLqJxLS8g4\n" \
    "-----END PUBLIC KEY-----\n"

#define P_521_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIAad53W14d0rFTdWCU\n" \
    "8PkkGB6zSRci0DNXqerDkKivf2rKE31FFG9dFsoX30b1X9NFDE5CyGGnZLjtP+6c\n" \
    "u71xhXKhgYkDgYYABAAq95kyp7LIjdImfJECXTCU25vuXtzzAiv+wVLBfkGDKXdi\n" \
    "U7gUuBbYjoRtVthBOgz/a/fHZQ8SpxgnE/RoACq0MAGbXyqQayOmBhT1eR50HVCc\n" \
    "h2XFRVBH3H1rEHBLFr85vpnEV39hm9V28LIyzqKXqxzmiY1xdw8EbfJc9AvLnrEa\n" \
    "kA==\n" \
    "-----END PRIVATE KEY-----\n"

#define P_521_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAKveZMqeyyI3SJnyRAl0wlNub7l7c\n" \
    "8wIr/sFSwX5Bgyl3YlO4FLgW2I6EbVbYQToM/2v3x2UPEqcYJxP0aAAqtDABm18q\n" \
    "kGsjpgYU9XkedB1QnIdlxUVQR9x9axBwSxa/Ob6ZxFd/YZvVdvCyMs6il6sc5omN\n" \
    "cXcPBG3yXPQLy56xGpA=\n" \
    "-----END PUBLIC KEY-----\n"

#define ED_25519_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MC4CAQAwBQYDK2VwBCIEILlStCTRyP3XPFz9+zdN/OCDKKQ9cqWzu+Otfa9GW2k5\n" \
    "-----END PRIVATE KEY-----\n"

#define ED_25519_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MCowBQYDK2VwAyEAbs90zAKo8x/u0mxpR5ErubuIbAufdzPEEfT9Gh4BP9g=\n" \
    "-----END PUBLIC KEY-----\n"

#define P_256_SEC1 \
    "-----BEGIN EC PRIVATE KEY-----\n" \
    "MHcCAQEEIDx1WxQe1oF9Ioqk9Ivmk7/jyn/e3FwOKzDZczuosLRZoAoGCCqGSM49\n" \
    "AwEHoUQDQgAEm/r1Movm403Je7uQpoLkhIkfs3/4Q+QjRXry3GNXBGja+nUE5I92\n" \
    "ExHEKOujSRVhJ7NgQ0xHNFn1sV8TCV4r4A==\n" \
    "-----END EC PRIVATE KEY-----\n"

#define RSA_2048_PKCS1 \
    "-----BEGIN RSA PRIVATE KEY-----\n" \
    "MIIEowIBAAKCAQEAptB24eQnGTF0QFK4aqK2HZptZyBtRYms4oly8xru6+oQZVNx\n" \
    "K5dhA2zYXtuT1l9emL+JfOsCB/cZ7KPvUsT/tw1dLXVWqo3f1omodX94jiYw8PuE\n" \
    "wjGtCCWRzxSZh9SdTbzeL4Xgf5WN+p9xLf87MqAwQZSGvA22p8KUHITx/cZ4G09D\n" \
    "eKCAGliIV7CwpYzv4m3uY1m0eSngX2WTvcunr/jvFpC7BKwLYyjylO0Bl+JpcCbJ\n" \
    "+99AF0MPzldMidsMBBarcXjxAXmFuvrMOUZ9z7j9H9IA7Ryg6hZNtHHmJ9XHq0go\n" \
    "zSsVyAc1fVwymmBDI7p/sPv5ppewofl27cTqRQIDAQABAoIBAAFUkCu/TxmDr00a\n" \
    "nvpiVE7HOvNtPiA/F66FBDJQoJ9BUikNgcCxF+nrVD/QNmBc1j5xG2aJ4dqdTtFe\n" \
    "jrhlNkxBkmC1rhlOzgsIgejeX9OAYsUIa6r4MvLpu8oACWgC9JzLvz9Eec5PeF7Y\n" \
    "JsXdyN05PlFGxWe0Bn6ItHfHjqRK5z4HiLLyZOy9jtZXWti5fV/FRF3KV8GhTwCu\n" \
    "hmuBWsBUFzmtAZhPOaRyRbyOKYmOOzE3wA79CslwGek2kFheQX9DMZvwkQcROe2V\n" \
    "WwjZ/dR6hVZ3C3XbSpQLpBTWhkloQPFahwBHuqILwwkD2Wm3+4goDEEOPfXq54sC\n" \
    "niOLsfkCgYEA4pYS2Iut2XmeAQvgfOP7c4Srmqqj187U06Lt5OaMcihtj8Pf4MJz\n" \
    "UOr1soFK7Xys1UWSi3EpeSviXYiv0WfXxIWMNx+sZS7VVIivnjcKWlR9vYY3Prsm\n" \
    "zSA064EqXWdfFJ2WImqZw47H1iMkHDTyBCgZcK3+wkHY5ko7FzuqRZ0CgYEAvHgM\n" \
    "FXZ9gHqhN1W2Ged2QMBJ/JraFcpoVQ/FV34W2Gy06BH+6xm6k5ep0UrPnDER/rmu\n" \
    "Yykp7GZZymNl6mcAk+ugVp7buMuimkGbuG0Mzq9lXT2T1vyq/dImF0tAtrR+EjIg\n" \
    "pYVnKpwxJxWapfnFs5zJfMbXl0T5PoTTVpQiqskCgYEAlN8LZNFpGPEJ+iAGj6fu\n" \
    "xvhNE2K4IYuYU7DB4toDPuIHEiUcy/yWbXzijzTZuO1oVPvQC+P+3skRgmjTM5+p\n" \
    "qUohVPpvd09tBIyF7kq1d6H5t3Meiw3FsZJOkskbv6CyXMYpJVWqz0zZSX1vNUUo\n" \
    "GckK5fi74IAI9U2iQ2KFPhUCgYADpMJ/C7pjaHuDaVnK6Gml2NHVW10J/M7Fjjd/\n" \
    "eIWSi493yRlHjEjKH619yVd4Ko6xgP95FUulMVldC0zmGjWtpmmEIzAWQ4GSP+B1\n" \
    "0U3lFQj9o3ofNuVLYOuxmZfXsGebjHKLIKgc78YXflhuCwUics6GZgW2+/NhnQnE\n" \
    "67o72QKBgD8ZLXnepZLV59Kz+zMBwM+iAmJvDyn907OGYqCTT01gUMcXDsgw9aoP\n" \
    "DcEbyWT1HA8N9Bn6OJiTbEfo0HYA3av1CXksNUvR0xnKt1L1divhjHBRu5+2gaU9\n" \
    "ilLHZGdzwfbETl5p/g6uk0aJYEJnPLWrEoKSMAVB4IdlviZyBv/M\n" \
    "-----END RSA PRIVATE KEY-----\n"

#define RSA_2048_ENCRYPTED \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" \
    "MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIxGblZPJX8eACAggA\n" \
    "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBAqLztCAwvlEyYjJyuL63brBIIE\n" \
    "0MmbuMqnUM5EOnyrkzzvK7bmxBKJkQ1UJO7cycd2HHrGQqfN222mws5CKAt8CNVU\n" \
    "jsBE5+ZvhgS0NwXzH3MNX7/A8/WzlsQojgx3TsNNpYgfJjwJo3/fYMbf15Nh2yJK\n" \
    "v7I2mNAc6CkRjrraWsZPfU4ZiGYh5Y6Nezj9nvVsABOKOTe7esumviZwFY6tQ+NC\n" \
    "0Ht8HH1VsKTpHX8sVv3urOE81xUdDCLJp77ahvaGvh4IHqIqW5HjMTfQ7Z/9mzKY\n" \
    "Nr6oV2Kc5JcWTA4q0IGLbT9n2xaewgAsYb16GZEdv+SJsyVHVQZbWb8Rv3TNE1Tm\n" \
    "9bC2f5sskOg3OW9TZHXaBkPVQXTs96Afzi5aDbyP6GedEhS3/rPimJkn7D4sz/II\n" \
    "45zbDwHfnXfvVUpmi9r4w2DDWS+Td8JMdqftNrxVHXzpqNoEVQAz2bgIpKxYwyoj\n" \
    "MmBTtlzw11gn2cDEvehRe021+SfLtAo7Qm4PgQaT+don2FJZIBGrr0fTiSnfyOQc\n" \
    "hfPE5XeFi+mlhmepYNXM6n00oqKags+R9G4bmTC8/fkOt99S1j/0MNgfYOBT1JZz\n" \
    "T2h9mDWE5xgMYqgpkqLhP8Ys2vjnHb6S8z5oo4elUHhOAFRR0SE7fd4AabHb2b+7\n" \
    "FsArdBEAqZLam5v9w7CDBFzcHSc9s6hvNH4GZxRUdQKIu+9PWpB8xSU8RZVkNof0\n" \
    "z+nQsauBN7b39PJU+r1p9fmdXBSkDMe2efOwv4MnpRLvw9OLMYjQWOrun0u88pIe\n" \
    "ALanSjDbw+wYIHr4JXLZ5fN9hBe4dYVXdh/pfvODqn6CAK3tuNOMjGw0iRGozqG0\n" \
    "mBvumr8GrkB15dwRpiZ6c+6rOxoDpaYbtTH4Mz732atp6AwcsiMDJMkes3aWEhuj\n" \
    "qz3bzMn236A1pqjp3PW/7gQ6BRudHdGkgdCQ+jXZSM+fWKpbyNV8W6jNTYiOJjWu\n" \
    "M8Hc2i6d9UWDI+pswPz35+yyFUcCfSJw60Pvt8Dm+GezJbO+1GqdX293PJ+Bfpo3\n" \
    "OK7zlDyBHGwnrQT/IhA8saxq48k5DDkzPf8i20ywUcLyCN0Oo9Qm4g9JUW3/lIhU\n" \
    "f8YUzBwo5U9vhBe4ApkBzi3jmOiJbvmufJEbRn03AmpUZQhV+vreWXltPjAR8eFV\n" \
    "xOO27sXYZCimhm8MYvttnYB7uFMfj4JEz+VA0PUJFLz84/4Hv5I2DYUbSmmu30gX\n" \
    "mPGB4kzbIiiNXnRtBTerSi6BfwA33H+bnINtWJrVZ5hK8e3ogyhr95GQ2CAsDa4b\n" \
    "ipqBVt6wUezgatsA9uUqKgJfr/GXF6P/lXOVppYl8xhLEoD6Qu/GqeOSzHn86JNv\n" \
    "4flukkF32LJ7CHtg9eWP924PLPw64hfRnP+6NzH8RYQtzyptzltjvJV45O/tnpY2\n" \
    "1zGqWfRrLi1m0AJeMwbsnQJBFRo6fm7eu8B5tvzKhV5wL71Umc3T4vsxbsUmkG4f\n" \
    "osZTLu1DvGqQsogRyjACGBa80QvSGC8lRiu84UEj+bGEqNnfd796dYkiJkBAe0pP\n" \
    "DXJL+wNA1siT4ysd91p9JIySGUJmjO2HM09RBxnDYELCMEjv+MCKkElkA/kP2GiB\n" \
    "VlSZKUJDumz6ea4rJtuvULEsoGJ43z6r9zcqer9AH8s+\n" \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#define RS256_HEX \
    "5eee3d7a814016da244fca9a6626ecdb73ec40418dba1d925389011e12715384041219a28b4477ec" \
    "b648e96d9c41633aa1adb332c7247450dac73a9ae310801af3afcb2322f25b4ca49742d48b7b9743" \
    "6b47d14b4f5cb05b9ef75704c68efcbee694cc0c6544c54a2a3208142a6236c6bf763b740b87d017" \
    "2893b4f55652a90f092a968e3da6382b3588bc68ed417d90df0e8a0747c6f855a9c2aa2b663091e7" \
    "8f095379b45984af19ad7f2997cf26c8a1bd22c621b7625a6c1e320dd912f68601903b0af2dbee46" \
    "61654e18946e48d799668456915e2af4258f5755e5765d2e3ba04e32d3fd44e2e5a3372f2e9c8a67" \
    "ad9d5c0138229a8738c69308c63b5263"

#define PS256_HEX \
    "55e377e9b83ee5ab3515cef09625cea26dec748fa082db2016006d1f00cda8de801890e55183a77e" \
    "a6e73ac3436b7686685d0ad3fb8fc206a168ee5a013ddb3d9f20860910e94793ce925898873c62fc" \
    "b3fc4de8ec0812bb11f097e03a48ed4cd8a0df601f44183b3f9f1d4bcc978f37f7a0e785e66373ce" \
    "e9371bf92df4bae016321e60aa4e98d79d4f244aa4833329eed8ddd906a70b76b6c22c47025dcb8f" \
    "b3117aa279b6dadcfc886795dca07b26e848b250f436c4e19bc5d670267e6b6dea9507e93d8d2016" \
    "d8486bc05586600b9409dccae651f60fed4764c68d94a834d235cd360c2e1bb4c3fdbb3148c9e1d2" \
    "4ac439afe2141fca492b381d691ee2b3"

#define ES256_HEX \
    "880b800a1dad55a12fbdfe6c578d6d5b09fe7926a66bed4aa7b711835c0a5b572e355188e49608e3" \
    "d3696216be78a7f129f253923161d3205457906a0a4dd4f6"

#define RS384_HEX \
    "5f334deae364564666d834bd4c8268fc4d47091dceb5dcb1d07e2ade54b142fb5f0600b37bcdd379" \
    "efbd7181513d42915938b8c7bb945f15744efc644377a49fc7e559981f6cb07a666014ba787db794" \
    "fcee04d69f75f3ab9463e5b085e34e77992297671af575d651087bfe1b9f2d72a388ce69c7a402bd" \
    "705bd822b34edf2a6683c7270fe98016221f8ea28bc392b121302a8cfc08632bf351de0098afd1f9" \
    "737b6d232ddb295c525b4e1709dd0167d12ae6270d540c1890cc7b1c71c382a0425822d2a786b1de" \
    "e6be3f173d4d64bc8f759a8bcd47391d87636276cddc383f804dfc0ebe3914fbb3eb21540abda090" \
    "35d778e91a44d1f7ca3a0410b7dccedb"

#define PS384_HEX \
    "3b0ea949d45d87cce70ba1e59e0b2d4d99d5bca8e7a9018cc13a436593a888a90cecd69d4251d5b2" \
    "2ba389afc1947cb327385cf359b45a6ed66a8ee31c4aa424fe55e1381b7a5efe88a8c749d72f05cc" \
    "3f58ca6514f096b927fe3cb6a77eec15996823e86e1cc6cb4b2babe9e54f5a12038f8e3c24a5c460" \
    "6dc5620f0cb4a5269eef1ea5a2710101967740eecbcd904deaf56fce909cdf4916e5dd6bc303881d" \
    "9abcae568c4532a4366fbcbaab8b2ba04faec63cd5c1429b96809beec84e461845c6828343ffa4aa" \
    "f09bdeb54d25abe87888780b13b450d4b948e34b3050042c3e00504d7893841cd601a09c72f25ca8" \
    "ff9faeb77e48606c62d15ee082a453d2"

#define ES384_HEX \
    "6328ce5548182d4b6ae5cd1bd76b60fb24e10b5650b4664ebfa4d7c4d2ce96e2e10fcf556fda4b52" \
    "153cbfd8c44651f0993674514b62b8a341f5c1c7164326c818ef3792ef2a5ee4d831f7b0ad52c0e6" \
    "7609018be802002fc1f5a8a1fefe4647"

#define RS512_HEX \
    "98325de6e44de0237b5d7f0bf9e8481561c36a82c315aedc63effe0af97748400159ea1be0037928" \
    "1caad00dbaad95a7e03f478b6fe96d67de7338be7e948c7705933b4b13f2fd4c5511ea96ffd29207" \
    "45ebb3e268e04e9b3b5d03ba1fc6b7ed41bc2fb2e20554660b4aebb882a52c21d6da253b83c7daf3" \
    "80f69a13dce792a4bacca2a45e70cee14ce6bb68c9a6176b04d884874bf505b449ec4139c81716df" \
    "8d4d6ae44b5cecbc0d5fca4a7ef298a718c77dc775d996af2b2669cd8423a923564f291ef2d4d719" \
    "f091dbcc569a484c997621be0dd44aa2c37d23e7e0b9013bb4defdf16639545fc19819eaffb5c5bb" \
    "5a804155d884b5f555571a0593e73ff5"

#define PS512_HEX \
    "281e18e177c322d776b4fd847da36de2593f3ae5af1a2379e7037f501af384c4f9ae3d6f769c94a1" \
    "d425a7e6c5ba6b10c291b3c1dc94c2c405fa9f604ccde947e5e7c0fb32288dfe4a4c234b18dea05c" \
    "ec7d81708fa2cc9ba3eeb2e8e022dfbfdda1e1bff2f55d3db431d72fcb492420fa0b133d2f4c51f0" \
    "cd3415d1da99be976937ae05ca05c7465dc03c2a6f7623fe280dc167d917e8ab9883bc553a028b80" \
    "4c4631150c6efe826d42c9d52a9ac67e10a2d052cad2afa121d2c6fb78dc80d1260640483c1264ff" \
    "9ac17ec59047d423a283428e8132cd8d79a1ea8ee6fe2a97d67653c896d2be14128ae7f86e43b4a9" \
    "69b5a4cee4a613df0224bc6ca5681a9c"

#define ES512_HEX \
    "000a9121dff15dda94fe0c92451b41c7aaa65803f86586b078b62c2204144ab2adab85f9eb08fa9a" \
    "487f790ed9039a1d64c938b5f395eaf88a29457330a3eb4381fa00376bc2a2ca6025d8fb4ac332a1" \
    "af819d926007c7d263bdebdb529d1d470cdaae1498b8e921b8ad37ca5feff1ec4f103487230e8443" \
    "9643bbe241a839f05872a940"

#define PS256_LONG_SALT_HEX \
    "655cb7fb6726bf0ca9ec4dc1863754529c642591772bc13ae43abd67ac4eab6af594c27ffd9bc26f" \
    "0bbd3fb0347ffc84068663f2d43d377da91274b18d3950761db2cf0afe2a187b1b5c04f0730bf2a0" \
    "e4d4998468a00e657cafa141764a805460fb2a5f958e0cb8df431c98be2193024f0df10d48ef9b59" \
    "55bdc45ba9832b71df72260017df70b22176bfbf5d1cf8485e6ea90ccec6d253c9cbe85424bfdbdf" \
    "45bd21c9bcfa3588921ac624f29d5a201e5477e2c499037e34cbe8cf674d2d3f92ec03d99cedb05b" \
    "f33aa2ffca05d3858965a4f5b1f061bd0ce13ba6c9da0c5227ef2aab0f1c5282355ba33ba2125003" \
    "4816ee71d1dafe8cc7d68d00db01171b"

#define ES256_DER_HEX \
    "304602210091ba9d5df67f04bb4831ae9b5a255d5943e09a17a646b787cb039155b8892f89022100" \
    "b17694f677b05dd6ac8ef3dc849da6449c92deb5d0581214a2bcd7c51fe9616d"
/* clang-format on */

#endif
