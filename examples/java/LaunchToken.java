import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Launch tokens for the FineOps Registration Wizard, with nothing but the JDK (8 or later). The contract is
 * docs/embedding.md.
 *
 * <p>Make a new token each time the page with the frame is shown: one is good once, and for 60 seconds. Send it with
 * POST to /embed of the wizard, as the field "token" of a form whose target is the frame.
 *
 * <pre>java LaunchToken.java RS256 private.pem ISS AUD PROJECT ROLE ORIGIN [NAME [LANGUAGE]]</pre>
 */
public final class LaunchToken {
    private static final long LIFE = 60; // seconds; the wizard takes no longer
    private static final int P256 = 32; // bytes of a number of the curve P-256

    private final String algorithm;
    private final byte[] key;

    /**
     * @param algorithm RS256, ES256 or HS256: the one that the wizard is configured with
     * @param key the private key in PKCS #8 (DER); the secret of HS256
     */
    public LaunchToken(String algorithm, byte[] key) {
        this.algorithm = algorithm;
        this.key = key.clone();
    }

    /** A token with these claims, and with iat, exp and jti. */
    public String of(Map<String, String> claims) throws GeneralSecurityException {
        long now = System.currentTimeMillis() / 1000;
        Map<String, Object> all = new LinkedHashMap<>(claims);
        all.put("iat", now);
        all.put("exp", now + LIFE);
        all.put("jti", UUID.randomUUID().toString());
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("alg", algorithm);
        header.put("typ", "JWT");
        String signed = encoded(json(header)) + "." + encoded(json(all));
        return signed + "." + encoded(signature(signed.getBytes(StandardCharsets.US_ASCII)));
    }

    private byte[] signature(byte[] data) throws GeneralSecurityException {
        switch (algorithm) {
            case "RS256":
                return signed("SHA256withRSA", "RSA", data);
            case "ES256":
                return plain(signed("SHA256withECDSA", "EC", data));
            case "HS256":
                Mac mac = Mac.getInstance("HmacSHA256");
                mac.init(new SecretKeySpec(key, "HmacSHA256"));
                return mac.doFinal(data);
            default:
                throw new GeneralSecurityException("The wizard takes RS256, ES256 and HS256, not " + algorithm);
        }
    }

    private byte[] signed(String name, String kind, byte[] data) throws GeneralSecurityException {
        PrivateKey secret = KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(key));
        Signature signature = Signature.getInstance(name);
        signature.initSign(secret);
        signature.update(data);
        return signature.sign();
    }

    /** JWT wants both numbers of an ECDSA signature side by side (RFC 7518, 3.4); Java has them in DER. */
    private static byte[] plain(byte[] der) {
        ByteBuffer read = ByteBuffer.wrap(der);
        read.position(2); // SEQUENCE, length: below 128 for this curve
        byte[] both = new byte[2 * P256];
        for (int end = P256; end <= both.length; end += P256) {
            read.get(); // INTEGER
            byte[] number = new byte[read.get()];
            read.get(number);
            int zeros = Math.max(0, number.length - P256); // a sign that says it is positive
            int size = number.length - zeros;
            System.arraycopy(number, zeros, both, end - size, size);
        }
        return both;
    }

    private static String encoded(String text) {
        return encoded(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String encoded(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String json(Map<String, Object> values) {
        StringBuilder text = new StringBuilder("{");
        for (Map.Entry<String, Object> entry : values.entrySet()) {
            text.append(text.length() > 1 ? "," : "").append(quoted(entry.getKey())).append(':');
            Object value = entry.getValue();
            text.append(value instanceof Number ? value.toString() : quoted(value.toString()));
        }
        return text.append('}').toString();
    }

    private static String quoted(String value) {
        StringBuilder text = new StringBuilder("\"");
        for (char letter : value.toCharArray()) {
            if (letter == '"' || letter == '\\') {
                text.append('\\').append(letter);
            } else if (letter < 0x20) {
                text.append(String.format("\\u%04x", (int) letter));
            } else {
                text.append(letter);
            }
        }
        return text.append('"').toString();
    }

    /** The key of a PEM file in PKCS #8 ("BEGIN PRIVATE KEY"), or the secret of HS256 as its file has it. */
    static byte[] key(String algorithm, Path file) throws Exception {
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8).trim();
        if (algorithm.equals("HS256")) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        return Base64.getMimeDecoder().decode(text.replaceAll("-----[^-]+-----", ""));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 7) {
            System.err.println("java LaunchToken.java ALGORITHM KEYFILE ISS AUD PROJECT ROLE ORIGIN [NAME [LANGUAGE]]");
            System.exit(2);
        }
        String[] names = {"iss", "aud", "project", "role", "origin", "name", "language"};
        String[] values = Arrays.copyOfRange(arguments, 2, arguments.length);
        Map<String, String> claims = new LinkedHashMap<>();
        for (int at = 0; at < Math.min(names.length, values.length); at++) {
            claims.put(names[at], values[at]);
        }
        byte[] key = key(arguments[0], Paths.get(arguments[1]));
        System.out.println(new LaunchToken(arguments[0], key).of(claims));
    }
}
