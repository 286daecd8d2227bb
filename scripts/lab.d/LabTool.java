// Talks to the lab's brokers: makes topics and quotas, produces a steady load, and answers, for the tests,
// what a group's offsets really are.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class LabTool {
    static final String[] TOPICS = {"orders", "orders-retry", "payments", "clicks.v1"};
    static final int[] PARTITIONS = {18, 3, 6, 12};
    static final int[] WEIGHTS = {10, 1, 4, 5};

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "topics": topics(args[1]); break;
            case "quota": quota(args[1], args[2]); break;
            case "commit": commit(args[1], args[2], Arrays.asList(args).subList(3, args.length)); break;
            case "produce": produce(args[1], Path.of(args[2])); break;
            case "ask": ask(args[1]); break;
            default: throw new IllegalArgumentException(args[0]);
        }
    }

    static Map<String, Object> config(String bootstrap, String... more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
        for (int i = 0; i < more.length; i += 2) config.put(more[i], more[i + 1]);
        return config;
    }

    static void topics(String bootstrap) throws Exception {
        List<NewTopic> wanted = new ArrayList<>();
        for (int i = 0; i < TOPICS.length; i++) wanted.add(new NewTopic(TOPICS[i], PARTITIONS[i], (short) 1));
        try (Admin admin = Admin.create(config(bootstrap, "reconnect.backoff.ms", "100", "reconnect.backoff.max.ms", "200"))) {
            for (var made : admin.createTopics(wanted).values().values()) {
                try {
                    made.get();
                } catch (ExecutionException e) {
                    if (!(e.getCause() instanceof TopicExistsException)) throw e;
                }
            }
        }
    }

    // For every client id, so that it holds for MirrorMaker's streams whatever they are called.
    static void quota(String bootstrap, String bytes) throws Exception {
        Double rate = bytes.equals("off") ? null : Double.valueOf(bytes);
        var everyone = new ClientQuotaEntity(Collections.singletonMap(ClientQuotaEntity.CLIENT_ID, null));
        try (Admin admin = Admin.create(config(bootstrap))) {
            admin.alterClientQuotas(List.of(new ClientQuotaAlteration(everyone,
                    List.of(new ClientQuotaAlteration.Op("consumer_byte_rate", rate))))).all().get();
        }
    }

    // GROUP TOPIC:PARTITION:OFFSET…: a group without members.
    static void commit(String bootstrap, String group, List<String> offsets) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> commits = new HashMap<>();
        for (String s : offsets) {
            String[] part = s.split(":");
            commits.put(new TopicPartition(part[0], Integer.parseInt(part[1])), new OffsetAndMetadata(Long.parseLong(part[2])));
        }
        try (Admin admin = Admin.create(config(bootstrap))) {
            admin.alterConsumerGroupOffsets(group, commits).all().get();
        }
    }

    // The control file holds the wanted rate in messages a second; 0 is a pause.
    static void produce(String bootstrap, Path control) throws Exception {
        List<String> wheel = new ArrayList<>();
        for (int i = 0; i < TOPICS.length; i++) wheel.addAll(Collections.nCopies(WEIGHTS[i], TOPICS[i]));
        Random random = new Random();
        byte[] value = new byte[200];
        AtomicLong failures = new AtomicLong();
        try (var producer = new KafkaProducer<byte[], byte[]>(config(bootstrap, "acks", "1", "linger.ms", "10"),
                new ByteArraySerializer(), new ByteArraySerializer())) {
            double rate = 0, due = 0;
            long last = System.nanoTime(), nextLook = last, reported = 0;
            boolean first = true;
            while (true) {
                long now = System.nanoTime();
                if (now >= nextLook) {
                    nextLook = now + 200_000_000L;
                    double wanted = wantedRate(control, rate);
                    if (wanted != rate) {
                        producer.flush(); // who reads the line may count what is there
                        System.out.println("rate " + wanted);
                    }
                    rate = wanted;
                    if (failures.get() != reported) System.out.println("failed so far: " + (reported = failures.get()));
                }
                // After a hold-up the load goes on at its rate, it does not catch up.
                due = Math.min(due + rate * (now - last) / 1e9, Math.max(rate, 1));
                last = now;
                for (; due >= 1; due--) {
                    random.nextBytes(value);
                    String key = Integer.toString((int) (-50 * Math.log(1 - random.nextDouble())));
                    var record = new ProducerRecord<>(wheel.get(random.nextInt(wheel.size())), key.getBytes(StandardCharsets.UTF_8), value.clone());
                    var sent = producer.send(record, (metadata, e) -> { if (e != null) failures.incrementAndGet(); });
                    if (first) {
                        sent.get();
                        System.out.println("producing");
                        first = false;
                    }
                }
                Thread.sleep(20);
            }
        }
    }

    static double wantedRate(Path control, double otherwise) {
        try {
            return Double.parseDouble(Files.readString(control).trim());
        } catch (IOException | NumberFormatException e) {
            return otherwise;
        }
    }

    static void ask(String bootstrap) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // Describing a group of the classic kind costs one retry, 100 ms unless told otherwise.
        try (Admin admin = Admin.create(config(bootstrap, "default.api.timeout.ms", "10000", "request.timeout.ms", "5000", "retry.backoff.ms", "1"))) {
            for (String group; (group = in.readLine()) != null; ) {
                long t0 = System.currentTimeMillis();
                String answer;
                try {
                    answer = "\"offsets\":" + offsets(admin, group);
                } catch (Exception e) {
                    String message = String.valueOf(e.getCause() == null ? e : e.getCause());
                    answer = "\"error\":\"" + message.replaceAll("[^ -~]", "?").replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
                }
                out.println("{\"t0\":" + t0 + ",\"t1\":" + System.currentTimeMillis() + "," + answer + "}");
            }
        }
    }

    // Every partition of every topic that the group has committed or holds; the commits are read first, as the command line tool does.
    static String offsets(Admin admin, String group) throws Exception {
        var committing = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata();
        var describing = admin.describeConsumerGroups(Set.of(group)).describedGroups().get(group);
        Map<TopicPartition, OffsetAndMetadata> committed = committing.get();
        Set<String> topics = new TreeSet<>();
        for (TopicPartition p : committed.keySet()) topics.add(p.topic());
        for (MemberDescription member : describing.get().members())
            for (TopicPartition p : member.assignment().topicPartitions()) topics.add(p.topic());

        Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
        for (TopicDescription topic : admin.describeTopics(topics).allTopicNames().get().values())
            for (var p : topic.partitions()) wanted.put(new TopicPartition(topic.name(), p.partition()), OffsetSpec.latest());
        Map<TopicPartition, ListOffsetsResultInfo> ends = admin.listOffsets(wanted).all().get();

        Map<String, Map<Integer, String>> table = new TreeMap<>();
        ends.forEach((p, end) -> {
            OffsetAndMetadata c = committed.get(p);
            table.computeIfAbsent(p.topic(), t -> new TreeMap<>()).put(p.partition(),
                    "{\"committed\":" + (c == null ? "null" : c.offset()) + ",\"end\":" + end.offset() + "}");
        });
        StringBuilder json = new StringBuilder("{");
        table.forEach((topic, partitions) -> {
            json.append(json.length() > 1 ? "," : "").append('"').append(topic).append("\":{");
            List<String> cells = new ArrayList<>();
            partitions.forEach((p, cell) -> cells.add("\"" + p + "\":" + cell));
            json.append(String.join(",", cells)).append('}');
        });
        return json.append('}').toString();
    }
}
