// A promotion in the store wakes the service, so that the new model is loaded before the next patient's picture rather than by it.
// Storage -> Event Grid (promotions alone) -> Logic App -> GET /health/ready, twice. docs/decisions/0022 says why not straight to the service.

@description('Name of the system topic.')
param topicName string

@description('Name of the subscription.')
param subscriptionName string

@description('Name of the Logic App.')
param reloadName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the store\'s account.')
param storeName string

@description('Name of the store\'s container.')
param container string

@description('Where the service answers.')
param serviceUrl string

resource store 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storeName
}

resource reload 'Microsoft.Logic/workflows@2019-05-01' = {
  name: reloadName
  location: location
  tags: tags
  properties: {
    state: 'Enabled'
    definition: loadJsonContent('reload.json')
    parameters: {
      serviceUrl: {
        value: serviceUrl
      }
    }
  }
}

resource trigger 'Microsoft.Logic/workflows/triggers@2019-05-01' existing = {
  parent: reload
  name: 'event'
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: topicName
  location: location
  tags: tags
  properties: {
    source: store.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource promotion 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: subscriptionName
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: trigger.listCallbackUrl().value // signed: who does not have it is refused
        maxEventsPerBatch: 1
        minimumTlsVersionAllowed: '1.2'
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Storage.BlobCreated'
      ]
      subjectBeginsWith: '/blobServices/default/containers/${container}/blobs/promotions/'
    }
    retryPolicy: {
      eventTimeToLiveInMinutes: 60
      maxDeliveryAttempts: 5
    }
  }
}
