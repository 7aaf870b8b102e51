package dev.finetune.images;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes a CycloneDX list of what is in each image, beside it: the Java components that Maven knows
 * with where their jars lie in the image, the packages of the base, and the application's own jars.
 */
public final class ImageSbom {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** Where the base keeps the control file of each Debian package. */
  private static final String PACKAGES = "/var/lib/dpkg/status.d/";

  private final ImageArchive image;
  private final ObjectNode sbom;
  private final ArrayNode components;
  private final Map<String, ObjectNode> byHash = new HashMap<>();

  /** Quarkus rewrites a jar where it removes a class, and names all by their coordinates. */
  private final Map<String, ObjectNode> byFileName = new HashMap<>();

  private ImageSbom(ImageArchive image, ObjectNode javaSbom) {
    this.image = image;
    this.sbom = javaSbom;
    this.components = (ArrayNode) javaSbom.get("components");
    for (JsonNode component : components) {
      byFileName.put(
          "%s.%s-%s.jar"
              .formatted(
                  component.path("group").asText(),
                  component.path("name").asText(),
                  component.path("version").asText()),
          (ObjectNode) component);
      for (JsonNode hash : component.path("hashes")) {
        if (hash.path("alg").asText().equals("SHA-256")) {
          byHash.put(hash.path("content").asText(), (ObjectNode) component);
        }
      }
    }
  }

  /** Writes those of all images. */
  public static void main(String[] arguments) throws IOException {
    for (Image image : Image.values()) {
      ObjectNode javaSbom = (ObjectNode) JSON.readTree(image.javaSbom().toFile());
      ObjectNode sbom = new ImageSbom(ImageArchive.read(image.archive()), javaSbom).merged();
      Files.write(image.sbom(), JSON.writeValueAsBytes(sbom));
    }
  }

  private ObjectNode merged() {
    nameTheImage();
    image.files().values().stream().filter(ImageFile::isJar).forEach(this::addJar);
    image.files().values().stream()
        .filter(file -> file.path().startsWith(PACKAGES) && file.type() == ImageFile.Type.FILE)
        .forEach(this::addPackage);
    return sbom;
  }

  /** The module's own component becomes one of those in the image. */
  private void nameTheImage() {
    ObjectNode metadata = (ObjectNode) sbom.get("metadata");
    ObjectNode module = (ObjectNode) metadata.get("component");
    components.add(module);
    int colon = image.name().lastIndexOf(':');
    ObjectNode container = JSON.createObjectNode();
    container.put("type", "container");
    container.put("bom-ref", image.name());
    container.put("name", image.name().substring(0, colon));
    container.put("version", image.name().substring(colon + 1));
    metadata.set("component", container);
    ObjectNode depends = ((ArrayNode) sbom.get("dependencies")).addObject();
    depends.put("ref", image.name());
    depends.putArray("dependsOn").add(module.get("bom-ref"));
  }

  private void addJar(ImageFile jar) {
    ObjectNode component = byHash.getOrDefault(jar.sha256(), byFileName.get(jar.name()));
    if (component == null) {
      component = components.addObject();
      component.put("type", "file");
      component.put("bom-ref", jar.path());
      component.put("name", jar.name());
      component.putArray("hashes").addObject().put("alg", "SHA-256").put("content", jar.sha256());
    }
    occurrences(component).addObject().put("location", jar.path());
  }

  private static ArrayNode occurrences(ObjectNode component) {
    return component.withObject("/evidence").withArray("/occurrences");
  }

  private void addPackage(ImageFile control) {
    Map<String, String> fields = fields(control.text());
    String name = fields.get("Package");
    String version = fields.get("Version");
    String purl =
        "pkg:deb/debian/%s@%s?arch=%s"
            .formatted(name, encoded(version), fields.get("Architecture"));
    ObjectNode component = components.addObject();
    component.put("type", "library");
    component.put("bom-ref", purl);
    component.put("name", name);
    component.put("version", version);
    component.put("purl", purl);
    occurrences(component).addObject().put("location", control.path());
  }

  private static Map<String, String> fields(String control) {
    Map<String, String> fields = new LinkedHashMap<>();
    control
        .lines()
        .filter(line -> !line.startsWith(" ") && line.contains(": "))
        .map(line -> line.split(": ", 2))
        .forEach(field -> fields.put(field[0], field[1]));
    return fields;
  }

  private static String encoded(String version) {
    return URLEncoder.encode(version, StandardCharsets.UTF_8).replace("%7E", "~");
  }
}
