from cachery.serializers.envelope cimport plain_body
